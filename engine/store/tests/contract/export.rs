//! Call records as JSON and CSV, byte for byte: other people's tools read them.
use gudok_store::{
    AgencyId, AnsweredBy, BlobId, CallId, CampaignLeg, Cdr, Direction, EndedBy, HangupCause, Landing, LegBegan,
    LegEnded, LegId, MediaStats, Mode, Party, QueueResult, QueueWait, Recording, Sealed, SubjectKey, Transfer,
    TransferKind, TransferResult, UtcMs, write_csv, write_json_lines,
};

use crate::cdr;

fn full() -> Cdr {
    let call_id = CallId::new("01J-1").unwrap();
    let began = LegBegan {
        call_id: call_id.clone(),
        leg: 1,
        parent: Some(LegId { call_id: call_id.clone(), leg: 0 }),
        chain_id: call_id,
        agency: AgencyId::new("mfc").unwrap(),
        entry: "=cmd|' /C calc'!A0".to_owned(),
        script: "menu, \"main\"".to_owned(),
        script_version: "1.2.0".to_owned(),
        direction: Direction::Outbound,
        caller: Party::own_number("+73842000000"),
        called: Party::masked("+79131234521")
            .with_hash(&SubjectKey::new([0; 32]), "+79131234521")
            .with_sealed(Sealed::from_ciphertext(b"secret".to_vec())),
        trunk: "carrier".to_owned(),
        started_ms: UtcMs(1_764_000_000_000),
        mode: Mode::Attended,
        language: "ru".to_owned(),
        area: "54-north".to_owned(),
        campaign: Some(CampaignLeg { campaign: "flood".to_owned(), contact: 7, attempt: 2 }),
    };
    let mut ended = LegEnded::new(UtcMs(1_764_000_065_500), HangupCause::Other("q850_31".to_owned()), EndedBy::Network);
    ended.ringing_ms = Some(UtcMs(1_764_000_000_250));
    ended.answered_ms = Some(UtcMs(1_764_000_005_500));
    ended.sip_status = Some(200);
    ended.landing = Some(Landing::Loop);
    ended.tags.insert("menu".to_owned(), "1-3".to_owned());
    ended.tags.insert("survey".to_owned(), "5".to_owned());
    ended.recordings.push(Recording {
        id: "message".to_owned(),
        sha256: BlobId::from_sha256([0xAB; 32]),
        duration_ms: 60_000,
        deleted_ms: None,
    });
    ended.media = Some(MediaStats {
        codec: "PCMA".to_owned(),
        packets_sent: 3_000,
        packets_received: 2_990,
        packets_lost: 10,
        ..MediaStats::default()
    });
    ended.transfer = Some(Transfer {
        kind: TransferKind::Attended,
        result: TransferResult::NoAnswer,
        to: "@operators".to_owned(),
        sip_status: Some(480),
    });
    ended.queue = Some(QueueWait {
        queue: "desk".to_owned(),
        entered_ms: UtcMs(1_764_000_010_000),
        waited_ms: 31_250,
        acted_ms: Some(UtcMs(1_764_000_035_000)),
        result: Some(QueueResult::Answered),
        by: "anna".to_owned(),
    });
    ended.callback = Some("cb-1".to_owned());
    ended.steps = vec!["menu".to_owned(), "@desk".to_owned()];
    ended.disposition = Some("confirmed".to_owned());
    ended.answered_by = Some(AnsweredBy::Human);
    began.ended(ended)
}

#[test]
fn csv_is_stable_and_harmless_in_a_spreadsheet() {
    let mut out = Vec::new();
    write_csv([&full(), &cdr("mfc", "+c", 0, 60)], true, &mut out).unwrap();
    let hash = SubjectKey::new([0; 32]).hash("+79131234521").to_hex();
    let expect = format!(
        "id,call_id,leg,parent,chain_id,agency,entry,script,script_version,direction,caller,caller_hash,called,called_hash,\
         trunk,started_utc,ringing_utc,answered_utc,ended_utc,setup_ms,talk_ms,duration_ms,cause,sip_status,ended_by,mode,\
         language,landing,transfer,tags,recordings,packets_received,packets_lost,trimmed,\
         queue,queue_entered_utc,queue_waited_ms,queue_acted_utc,queue_result,queue_by,callback,area,steps,\
         campaign,contact,attempt,disposition,answered_by\r\n\
         01J-1.1,01J-1,1,01J-1.0,01J-1,mfc,'=cmd|' /C calc'!A0,\"menu, \"\"main\"\"\",1.2.0,outbound,'+73842000000,,\
         '+7********21,{hash},carrier,2025-11-24T16:00:00.000Z,2025-11-24T16:00:00.250Z,2025-11-24T16:00:05.500Z,\
         2025-11-24T16:01:05.500Z,5500,60000,65500,q850_31,200,network,attended,ru,loop,attended no_answer @operators,\
         menu=1-3 survey=5,message:{},2990,10,false,\
         desk,2025-11-24T16:00:10.000Z,31250,2025-11-24T16:00:35.000Z,answered,anna,cb-1,54-north,menu @desk,\
         flood,7,2,confirmed,human\r\n\
         '+c.0,'+c,0,,'+c,mfc,main,menu,1.0.0,inbound,'+7********21,,'+73842000000,,carrier,1970-01-01T00:00:00.010Z,,,\
         1970-01-01T00:00:00.060Z,50,0,50,normal,,caller,automatic,ru,,,,,0,0,false,,,,,,,,,,,,,,\r\n",
        "ab".repeat(32)
    );
    assert_eq!(String::from_utf8(out).unwrap(), expect);
}

#[test]
fn json_lines_are_flat_and_hold_no_sealed_number() {
    let mut out = Vec::new();
    write_json_lines([&full(), &cdr("mfc", "c", 0, 60)], &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    let hash = SubjectKey::new([0; 32]).hash("+79131234521").to_hex();
    let expect = format!(
        concat!(
            r#"{{"id":"01J-1.1","setup_ms":5500,"talk_ms":60000,"duration_ms":65500,"call_id":"01J-1","leg":1,"#,
            r#""parent":{{"call_id":"01J-1","leg":0}},"chain_id":"01J-1","agency":"mfc","entry":"=cmd|' /C calc'!A0","#,
            r#""script":"menu, \"main\"","script_version":"1.2.0","direction":"outbound","#,
            r#""caller":{{"shown":"+73842000000"}},"called":{{"shown":"+7********21","hash":"{}"}},"trunk":"carrier","#,
            r#""started_ms":1764000000000,"mode":"attended","language":"ru","area":"54-north","#,
            r#""campaign":{{"campaign":"flood","contact":7,"attempt":2}},"ringing_ms":1764000000250,"#,
            r#""answered_ms":1764000005500,"ended_ms":1764000065500,"cause":"q850_31","sip_status":200,"#,
            r#""ended_by":"network","landing":"loop","tags":{{"menu":"1-3","survey":"5"}},"#,
            r#""recordings":[{{"id":"message","sha256":"{}","duration_ms":60000}}],"#,
            r#""media":{{"codec":"PCMA","packets_sent":3000,"packets_received":2990,"packets_lost":10,"packets_late":0,"jitter_ms_max":0}},"#,
            r#""transfer":{{"kind":"attended","result":"no_answer","to":"@operators","sip_status":480}},"#,
            r#""queue":{{"queue":"desk","entered_ms":1764000010000,"waited_ms":31250,"acted_ms":1764000035000,"#,
            r#""result":"answered","by":"anna"}},"callback":"cb-1","steps":["menu","@desk"],"#,
            r#""disposition":"confirmed","answered_by":"human"}}"#,
        ),
        hash,
        "ab".repeat(32)
    );
    assert_eq!(text.lines().next().unwrap(), expect);
    assert_eq!(text.lines().count(), 2);
    assert!(!text.contains("sealed"));
}
