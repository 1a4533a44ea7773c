//! What an answer means: whose fault, try again, until when?
