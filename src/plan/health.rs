//! Health of a target: breaker and cooldown as a pure state machine.
