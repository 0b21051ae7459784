//! The centre: operators, queues, callbacks, the desk, promises in writing.
