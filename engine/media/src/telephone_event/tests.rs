//! Made packets through a made network.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use super::*;

#[derive(Debug, Clone, Copy)]
struct Sent {
    at_ms: u64,
    timestamp: u32,
    marker: bool,
    payload: [u8; 4],
}

/// The packets of a press as telephones send them: updates each 20 ms, then three ends at once.
fn press(at_ms: u64, key: char, duration_ms: u32) -> Vec<Sent> {
    let digit = Digit::from_char(key).unwrap();
    let timestamp = u32::try_from(at_ms * 8).unwrap();
    let updates = duration_ms / 20;
    let mut packets: Vec<Sent> = (1..=updates)
        .map(|n| Sent {
            at_ms: at_ms + u64::from(n) * 20,
            timestamp,
            marker: n == 1,
            payload: payload(digit, false, n * 160),
        })
        .collect();
    let end = Sent {
        at_ms: at_ms + u64::from(updates) * 20,
        timestamp,
        marker: false,
        payload: payload(digit, true, updates * 160),
    };
    packets.extend([end; 3]);
    packets
}

fn hear(packets: &[Sent]) -> (String, usize) {
    let mut receiver = EventReceiver::default();
    let (mut keys, mut ends) = (String::new(), 0);
    for packet in packets {
        let now = MediaTime::from_ms(packet.at_ms);
        ends += usize::from(receiver.expire(now).is_some());
        let heard = receiver.handle(now, 7, packet.timestamp, packet.marker, &packet.payload).unwrap();
        ends += usize::from(heard.ended.is_some());
        keys.extend(heard.pressed.map(Digit::as_char));
    }
    ends += usize::from(receiver.expire(MediaTime::from_ms(1 << 30)).is_some());
    (keys, ends)
}

fn check(packets: &[Sent], keys: &str) {
    assert_eq!(hear(packets).0, keys);
}

#[test]
fn a_press_is_reported_at_its_start_and_its_end_once() {
    let mut receiver = EventReceiver::default();
    let packets = press(1_000, '5', 100);
    let mut told = vec![];
    for packet in &packets {
        let now = MediaTime::from_ms(packet.at_ms);
        let heard = receiver.handle(now, 7, packet.timestamp, packet.marker, &packet.payload).unwrap();
        if heard != Heard::default() {
            told.push((packet.at_ms, heard.pressed.is_some(), heard.ended.map(|end| end.duration_ms)));
        }
    }
    assert_eq!(told, [(1_020, true, None), (1_100, false, Some(100))]);
    assert_eq!(receiver.deadline(), None);
}

#[test]
fn any_one_packet_of_a_press_is_enough() {
    for only in 0..press(0, '1', 100).len() {
        check(&press(1_000, '1', 100)[only..=only], "1");
    }
}

#[test]
fn two_quick_presses_of_one_key_are_two_even_without_ends_or_starts() {
    let (first, second) = (press(1_000, '7', 60), press(1_100, '7', 60));
    check(&[first.clone(), second.clone()].concat(), "77");
    // The first press loses its ends; the second its marker.
    check(&[&first[..3], &second[..]].concat(), "77");
    check(&[&first[..], &second[1..]].concat(), "77");
    check(&[&first[..1], &second[4..]].concat(), "77");
    assert_eq!(hear(&[&first[..3], &second[..3]].concat()), ("77".into(), 2));
}

#[test]
fn packets_that_come_late_or_twice_change_nothing() {
    let (first, second) = (press(1_000, '1', 80), press(1_200, '2', 80));
    let mut packets = [first.clone(), second, first].concat();
    for packet in &mut packets[14..] {
        packet.at_ms += 300;
    }
    assert_eq!(hear(&packets).0, "12");
}

#[test]
fn a_long_press_in_segments_is_one() {
    let digit = Digit::from_char('9').unwrap();
    let mut packets = vec![];
    for (segment, start) in [(0u64, 5_000u32), (1, 5_000 + 0xffff)] {
        for duration in [160, 30_000, 0xfff0, 0xffff] {
            let marker = segment == 0 && duration == 160;
            let at_ms = segment * 8_192 + u64::from(duration) / 8;
            packets.push(Sent { at_ms, timestamp: start, marker, payload: payload(digit, false, duration) });
        }
    }
    let mut receiver = EventReceiver::default();
    let presses = packets
        .iter()
        .filter_map(|p| {
            receiver.handle(MediaTime::from_ms(p.at_ms), 1, p.timestamp, p.marker, &p.payload).unwrap().pressed
        })
        .count();
    assert_eq!(presses, 1);
}

#[test]
fn a_gateway_that_moves_the_timestamp_in_mid_event_presses_once() {
    let mut packets = press(1_000, '3', 100);
    for (n, packet) in packets.iter_mut().enumerate().take(5) {
        packet.timestamp += u32::try_from(n).unwrap() * 160;
    }
    let last = packets[4].timestamp;
    for packet in &mut packets[5..] {
        packet.timestamp = last;
    }
    check(&packets, "3");
}

#[test]
fn a_press_whose_ends_are_lost_ends_by_silence() {
    let mut receiver = EventReceiver::default();
    for packet in &press(1_000, '4', 100)[..5] {
        receiver.handle(MediaTime::from_ms(packet.at_ms), 1, packet.timestamp, packet.marker, &packet.payload).unwrap();
    }
    assert_eq!(receiver.deadline(), Some(MediaTime::from_ms(1_300)));
    assert_eq!(receiver.expire(MediaTime::from_ms(1_299)), None);
    assert_eq!(receiver.expire(MediaTime::from_ms(1_300)).unwrap().duration_ms, 100);
    assert_eq!(receiver.expire(MediaTime::from_ms(9_000)), None);
}

#[test]
fn hostile_events_are_refused_and_a_flood_is_bounded() {
    let mut receiver = EventReceiver::default();
    let mut handle = |ts, payload: &[u8]| receiver.handle(MediaTime::from_ms(5), 1, ts, true, payload);
    assert_eq!(handle(0, &[]), Err(Reject::Event));
    assert_eq!(handle(0, &[1, 2, 3]), Err(Reject::Event));
    assert_eq!(handle(0, &[99, 10, 0, 160]), Err(Reject::Event));
    assert_eq!(handle(0, &[16, 10, 0, 160]), Ok(Heard::default()));
    let heard = (1..1_000u32).filter(|n| handle(n * 1_000, &[1, 10, 0, 160]).is_ok()).count();
    assert_eq!(heard, PRESSES_PER_SECOND_MAX as usize);
}

/// 5 % loss, 5 % duplication, 10 % delayed by up to 60 ms: at least 99.5 % of digits are seen, none doubled.
#[test]
fn a_bad_network_loses_no_digits_and_doubles_none() {
    let mut random = StdRng::seed_from_u64(4_733);
    let keys: Vec<char> = Digit::all().map(Digit::as_char).collect();
    let (mut sent, mut seen) = (0, 0);
    for _ in 0..200 {
        let mut at_ms = 1_000;
        let mut dialled = String::new();
        let mut arriving = vec![];
        for _ in 0..20 {
            let key = *keys.choose(&mut random).unwrap();
            let duration_ms = 20 * random.random_range(2..8);
            dialled.push(key);
            for packet in press(at_ms, key, duration_ms) {
                let copies = [1, usize::from(random.random_bool(0.05))].iter().sum();
                for _ in 0..copies {
                    if random.random_bool(0.05) {
                        continue;
                    }
                    let delay_ms = if random.random_bool(0.1) { random.random_range(1..60) } else { 0 };
                    arriving.push(Sent { at_ms: packet.at_ms + delay_ms, ..packet });
                }
            }
            at_ms += u64::from(duration_ms) + random.random_range(60..200);
        }
        arriving.sort_by_key(|packet| packet.at_ms);
        let (heard, ends) = hear(&arriving);
        assert!(heard.len() <= dialled.len(), "doubled: {dialled} heard as {heard}");
        assert!(ends <= heard.len(), "{ends} ends of {heard}");
        sent += dialled.len();
        seen += dialled.len() - usize::from(heard != dialled) * dialled.len().abs_diff(heard.len()).max(1);
    }
    assert!(seen * 1_000 >= sent * 995, "{seen} of {sent}");
}

#[test]
fn what_the_sender_sends_the_receiver_hears() {
    let digits = "12#A77".chars().filter_map(Digit::from_char);
    let mut sender = EventSender::new(digits, 100, 80);
    let mut receiver = EventReceiver::default();
    let (mut heard, mut ends, mut tick, mut timestamp) = (String::new(), vec![], 0u64, 0);
    while !sender.is_done() {
        let now = MediaTime::from_ms(tick * 20);
        if let Some(packet) = sender.tick() {
            if packet.first {
                timestamp = now.ticks();
            }
            let told = receiver.handle(now, 1, timestamp, packet.first, &packet.payload).unwrap();
            heard.extend(told.pressed.map(Digit::as_char));
            ends.extend(told.ended.map(|end| end.duration_ms));
        }
        tick += 1;
        assert!(tick < 200);
    }
    assert_eq!(heard, "12#A77");
    assert_eq!(ends, [100; 6]);
    // 100 ms of tone and 80 ms of gap each, the ends inside the gap.
    assert_eq!(tick, 6 * 9, "ticks");
}
