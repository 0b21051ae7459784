//! Durable keeping: call records, agency storage, blobs.
