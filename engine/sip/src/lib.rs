//! SIP trunks, registrations and dialogs, turned into leg events.
