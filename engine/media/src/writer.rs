//! The writer thread: recordings to disk, so that no pacer ever waits for one.
//!
//! A file grows under a temporary name beside its final one, is synced, hashed and only then renamed. So a name that
//! exists is a whole recording, whatever happened.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufWriter, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, bounded};
use sha2::{Digest as _, Sha256};

use crate::error::MediaError;
use crate::event::{EventSink, MediaEvent, Recorded, RecordingEnd, RecordingId};

/// Recordings at the same time.
pub const RECORDINGS_MAX: usize = 1_024;
/// Chunks of 200 ms that may wait for the disk: 26 MB, or four seconds of the greatest number of recordings.
const CHUNKS_WAITING_MAX: usize = 8 * RECORDINGS_MAX;
/// Kept free for endings, which are never lost.
const QUEUE_LENGTH: usize = CHUNKS_WAITING_MAX + 2 * RECORDINGS_MAX;

const OVERRUN: &str = "the disk does not keep up with the recordings; record fewer calls or use a faster disk";

const WAV: hound::WavSpec =
    hound::WavSpec { channels: 1, sample_rate: 8_000, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };

/// Who wants to know about a recording.
#[derive(Clone)]
pub(crate) struct Listening {
    pub(crate) session: u64,
    pub(crate) id: RecordingId,
    pub(crate) events: Arc<dyn EventSink>,
}

/// A recording the writer knows. Given back by `finish` or `discard`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Job {
    number: u64,
    /// Samples were left out because the disk did not keep up.
    overrun: bool,
}

enum Order {
    Begin { job: u64, path: PathBuf, listening: Listening },
    Samples { job: u64, samples: Vec<i16> },
    Finish { job: Job, stopped_by: RecordingEnd, duration_ms: u64 },
    Discard { job: Job },
    Stop,
}

/// Sends orders to the writer; never blocks.
#[derive(Clone)]
pub(crate) struct WriterHandle {
    orders: Sender<Order>,
    active: Arc<AtomicUsize>,
    jobs: Arc<AtomicU64>,
}

impl WriterHandle {
    /// Starts the writer.
    pub(crate) fn start() -> Result<(Self, JoinHandle<()>), MediaError> {
        let (sender, receiver) = bounded(QUEUE_LENGTH);
        let active = Arc::new(AtomicUsize::new(0));
        let writer = Writer { orders: receiver, files: HashMap::new(), active: Arc::clone(&active) };
        let thread = std::thread::Builder::new()
            .name("media-writer".into())
            .spawn(move || writer.run())
            .map_err(|source| MediaError::System { what: "a thread", source })?;
        Ok((Self { orders: sender, active, jobs: Arc::new(AtomicU64::new(0)) }, thread))
    }

    /// Begins a file.
    pub(crate) fn begin(&self, path: PathBuf, listening: Listening) -> Result<Job, MediaError> {
        if self.active.fetch_add(1, Ordering::Relaxed) >= RECORDINGS_MAX || self.orders.len() > CHUNKS_WAITING_MAX {
            self.active.fetch_sub(1, Ordering::Relaxed);
            return Err(MediaError::Busy { limit: RECORDINGS_MAX });
        }
        let job = self.jobs.fetch_add(1, Ordering::Relaxed);
        match self.orders.try_send(Order::Begin { job, path, listening }) {
            Ok(()) => Ok(Job { number: job, overrun: false }),
            Err(_) => {
                self.active.fetch_sub(1, Ordering::Relaxed);
                Err(MediaError::Busy { limit: QUEUE_LENGTH })
            }
        }
    }

    /// Adds audio. Where the disk does not keep up, the recording fails in the end rather than being kept with a hole.
    pub(crate) fn samples(&self, job: &mut Job, samples: Vec<i16>) {
        job.overrun |= self.orders.len() >= CHUNKS_WAITING_MAX;
        if !job.overrun {
            job.overrun = self.orders.try_send(Order::Samples { job: job.number, samples }).is_err();
        }
    }

    /// Closes a file and tells about it.
    pub(crate) fn finish(&self, job: Job, stopped_by: RecordingEnd, duration_ms: u64) {
        let _ = self.orders.try_send(Order::Finish { job, stopped_by, duration_ms });
    }

    /// Forgets a recording and removes its file.
    pub(crate) fn discard(&self, job: Job) {
        let _ = self.orders.try_send(Order::Discard { job });
    }

    /// Ends the thread when everything before has been written.
    pub(crate) fn stop(&self) {
        let _ = self.orders.send(Order::Stop);
    }
}

struct Writer {
    orders: Receiver<Order>,
    files: HashMap<u64, Recording>,
    active: Arc<AtomicUsize>,
}

struct Recording {
    path: PathBuf,
    temporary: PathBuf,
    listening: Listening,
    /// An error stays until the end, where it is told.
    wav: Result<hound::WavWriter<BufWriter<File>>, String>,
}

impl Writer {
    fn run(mut self) {
        while let Ok(order) = self.orders.recv() {
            match order {
                Order::Begin { job, path, listening } => {
                    self.files.insert(job, Recording::begin(path, job, listening));
                }
                Order::Samples { job, samples } => {
                    if let Some(recording) = self.files.get_mut(&job) {
                        recording.write(&samples);
                    }
                }
                Order::Finish { job, stopped_by, duration_ms } => {
                    if let Some(mut recording) = self.files.remove(&job.number) {
                        if job.overrun {
                            recording.wav = Err(OVERRUN.into());
                        }
                        recording.finish(stopped_by, duration_ms);
                        self.active.fetch_sub(1, Ordering::Relaxed);
                    }
                }
                Order::Discard { job } => {
                    if let Some(recording) = self.files.remove(&job.number) {
                        drop(recording.wav);
                        remove(&recording.temporary);
                        self.active.fetch_sub(1, Ordering::Relaxed);
                    }
                }
                Order::Stop => break,
            }
        }
    }
}

impl Recording {
    fn begin(path: PathBuf, job: u64, listening: Listening) -> Self {
        let mut name = std::ffi::OsString::from(".");
        name.push(path.file_name().unwrap_or_default());
        name.push(format!(".{job}.part"));
        let temporary = path.with_file_name(name);
        let wav = File::create(&temporary)
            .map_err(|error| format!("cannot create the file of a recording: {error}"))
            .and_then(|file| {
                hound::WavWriter::new(BufWriter::new(file), WAV)
                    .map_err(|error| format!("cannot write a recording: {error}"))
            });
        Self { path, temporary, listening, wav }
    }

    fn write(&mut self, samples: &[i16]) {
        let Ok(wav) = &mut self.wav else { return };
        if let Err(error) = samples.iter().try_for_each(|sample| wav.write_sample(*sample)) {
            self.wav = Err(format!("cannot write a recording: {error}"));
        }
    }

    fn finish(self, stopped_by: RecordingEnd, duration_ms: u64) {
        let Self { path, temporary, listening, wav } = self;
        let event = match wav.and_then(|wav| keep(wav, &temporary, &path)) {
            Ok((sha256, bytes)) => {
                MediaEvent::RecordingEnded(Recorded { id: listening.id, path, duration_ms, stopped_by, sha256, bytes })
            }
            Err(reason) => {
                remove(&temporary);
                tracing::warn!(session = listening.session, %reason, "recording failed");
                MediaEvent::RecordingFailed { id: listening.id, reason }
            }
        };
        listening.events.media_event(listening.session, event);
    }
}

/// Completes, syncs, hashes and renames a file.
fn keep(wav: hound::WavWriter<BufWriter<File>>, temporary: &Path, path: &Path) -> Result<([u8; 32], u64), String> {
    let says = |error: &dyn std::fmt::Display| format!("cannot complete a recording: {error}");
    wav.finalize().map_err(|error| says(&error))?;
    let mut file = File::open(temporary).map_err(|error| says(&error))?;
    file.sync_all().map_err(|error| says(&error))?;
    let (mut hash, mut bytes, mut buffer) = (Sha256::new(), 0, vec![0; 64 * 1_024]);
    loop {
        let read = file.read(&mut buffer).map_err(|error| says(&error))?;
        if read == 0 {
            break;
        }
        hash.update(&buffer[..read]);
        bytes += read as u64;
    }
    fs::rename(temporary, path).map_err(|error| says(&error))?;
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory).and_then(|directory| directory.sync_all()).map_err(|error| says(&error))?;
    Ok((hash.finalize().into(), bytes))
}

fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(%error, "a temporary recording stays behind");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    fn listening(sender: mpsc::Sender<MediaEvent>) -> Listening {
        let events = move |_, event| {
            let _ = sender.send(event);
        };
        Listening { session: 1, id: RecordingId(5), events: Arc::new(events) }
    }

    #[test]
    fn a_finished_recording_is_whole_hashed_and_alone_in_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("complaint.wav");
        let (writer, thread) = WriterHandle::start().unwrap();
        let (sender, events) = mpsc::channel();
        let mut job = writer.begin(path.clone(), listening(sender)).unwrap();
        writer.samples(&mut job, vec![7; 1_600]);
        writer.finish(job, RecordingEnd::Silence, 200);
        let MediaEvent::RecordingEnded(recorded) = events.recv().unwrap() else { unreachable!() };
        let file = fs::read(&path).unwrap();
        assert_eq!((recorded.bytes, recorded.duration_ms), (file.len() as u64, 200));
        assert_eq!(recorded.sha256, <[u8; 32]>::from(Sha256::digest(&file)));
        let samples: Vec<i16> = hound::WavReader::open(&path).unwrap().samples().map(Result::unwrap).collect();
        assert_eq!(samples, vec![7; 1_600]);
        writer.stop();
        thread.join().unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert_eq!(writer.active.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_discarded_recording_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (writer, thread) = WriterHandle::start().unwrap();
        let (sender, _events) = mpsc::channel();
        let mut job = writer.begin(folder.path().join("x.wav"), listening(sender)).unwrap();
        writer.samples(&mut job, vec![7; 1_600]);
        writer.discard(job);
        writer.stop();
        thread.join().unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_folder_that_is_not_there_fails_with_a_reason() {
        let folder = tempfile::tempdir().unwrap();
        let (writer, thread) = WriterHandle::start().unwrap();
        let (sender, events) = mpsc::channel();
        let job = writer.begin(folder.path().join("missing").join("x.wav"), listening(sender)).unwrap();
        writer.finish(job, RecordingEnd::Finished, 0);
        let event = events.recv().unwrap();
        assert!(matches!(event, MediaEvent::RecordingFailed { id: RecordingId(5), .. }), "{event:?}");
        writer.stop();
        thread.join().unwrap();
    }

    #[test]
    fn more_recordings_than_the_limit_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (writer, thread) = WriterHandle::start().unwrap();
        let (sender, _events) = mpsc::channel();
        writer.active.store(RECORDINGS_MAX, Ordering::Relaxed);
        assert!(writer.begin(folder.path().join("x.wav"), listening(sender)).is_err());
        assert_eq!(writer.active.load(Ordering::Relaxed), RECORDINGS_MAX);
        writer.stop();
        thread.join().unwrap();
    }
}
