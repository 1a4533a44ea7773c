//! Data: rows of providers, models and prices. No logic.
