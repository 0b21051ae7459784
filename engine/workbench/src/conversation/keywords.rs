//! The words in which conversations are written: one row a setting or step, English and Russian.
//!
//! A pattern is words and fields, with blanks between. `a|b` is one of several words, of which the first is written (behind
//! a number: the form that goes with it); `(the)` may be left out; `{name:kind}` is a field of the row's [`super::Step`] or
//! [`super::Setting`]. Where a row has several patterns, the first that has all of its fields is written.

/// In which language's keywords a conversation is written. Reading knows both, line by line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Tongue {
    /// `script says "…"`
    English,
    /// `скрипт говорит «…»`
    #[default]
    Russian,
}

/// A setting or step, as it is written.
#[derive(Debug)]
pub(super) struct Row {
    /// The variant's name in JSON.
    pub(super) id: &'static str,
    pub(super) english: &'static [&'static str],
    pub(super) russian: &'static [&'static str],
}

impl Row {
    pub(super) const fn patterns(&self, tongue: Tongue) -> &'static [&'static str] {
        match tongue {
            Tongue::English => self.english,
            Tongue::Russian => self.russian,
        }
    }
}

const fn row(id: &'static str, english: &'static [&'static str], russian: &'static [&'static str]) -> Row {
    Row { id, english, russian }
}

/// What a conversation begins with.
pub(super) const TITLE: &str = "==";
/// What a remark begins with, at the beginning of a line: `#` is a key, too.
pub(super) const REMARK: char = '#';

/// How the world is before the call. The first row that fits counts.
pub(super) const SETTINGS: &[Row] = &[
    row("at", &["at: {time:rest}"], &["время: {time:rest}"]),
    row("zone", &["zone: {zone:rest}"], &["пояс: {zone:rest}"]),
    row("withheld", &["from: withheld"], &["звонит: номер скрыт"]),
    row("from", &["from: {number:rest}"], &["звонит: {number:rest}"]),
    row("language", &["language: {language:rest}"], &["язык: {language:rest}"]),
    row("entry", &["entry: {entry:rest}"], &["вход: {entry:rest}"]),
    row("config", &["config {key:name} : {value:rest}"], &["настройка {key:name} : {value:rest}"]),
    row("secret", &["secret {name:name} : {value:rest}"], &["секрет {name:name} : {value:rest}"]),
    row("stored", &["stored {bucket/key:slot} : {value:data}"], &["хранится {bucket/key:slot} : {value:data}"]),
    row("contact", &["contact {name:name} : {value:rest}"], &["контакт {name:name} : {value:rest}"]),
    row("answered-by-machine", &["answered by: machine"], &["отвечает: автоответчик"]),
    row(
        "back-end-answers",
        &[
            "back end {method:token} {path:token} : {status:number} {body:data}",
            "back end {method:token} {path:token} : {status:number}",
        ],
        &[
            "система|сервер {method:token} {path:token} : {status:number} {body:data}",
            "система|сервер {method:token} {path:token} : {status:number}",
        ],
    ),
    row("seed", &["seed: {seed:number}"], &["случай: {seed:number}"]),
];

/// What happens, and what must be true then.
pub(super) const STEPS: &[Row] = &[
    row("says", &["script says {words:quoted}"], &["скрипт|робот говорит {words:quoted}"]),
    row("asks", &["script asks {words:quoted}"], &["скрипт|робот спрашивает {words:quoted}"]),
    row("presses", &["caller presses|enters {keys:keys}"], &["абонент|звонящий нажимает|набирает|вводит {keys:keys}"]),
    row(
        "interrupts",
        &["caller interrupts (with) {keys:keys}"],
        &["абонент|звонящий перебивает (клавишей) {keys:keys}"],
    ),
    row("silent", &["caller is silent", "caller says nothing"], &["абонент|звонящий молчит"]),
    row("hangs-up", &["caller hangs up"], &["абонент|звонящий кладёт|кладет|вешает трубку"]),
    row(
        "speaks",
        &["caller speaks (for) {seconds:number} second|seconds"],
        &["абонент|звонящий говорит {seconds:number} секунду|секунды|секунд"],
    ),
    row(
        "back-end-answers",
        &[
            "back end {method:token} {path:token} gets {sent:json} and answers {status:number} {body:data}",
            "back end {method:token} {path:token} gets {sent:json} and answers {status:number}",
            "back end {method:token} {path:token} answers {status:number} {body:data}",
            "back end {method:token} {path:token} answers {status:number}",
        ],
        &[
            "система|сервер {method:token} {path:token} получает {sent:json} и отвечает {status:number} {body:data}",
            "система|сервер {method:token} {path:token} получает {sent:json} и отвечает {status:number}",
            "система|сервер {method:token} {path:token} отвечает {status:number} {body:data}",
            "система|сервер {method:token} {path:token} отвечает {status:number}",
        ],
    ),
    row(
        "back-end-fails",
        &[
            "back end {method:token} {path:token} gets {sent:json} and fails",
            "back end {method:token} {path:token} fails",
        ],
        &[
            "система|сервер {method:token} {path:token} получает {sent:json} и недоступна|недоступен",
            "система|сервер {method:token} {path:token} недоступна|недоступен",
        ],
    ),
    row(
        "back-end-never-answers",
        &[
            "back end {method:token} {path:token} gets {sent:json} and never answers",
            "back end {method:token} {path:token} never answers",
        ],
        &[
            "система|сервер {method:token} {path:token} получает {sent:json} и не отвечает",
            "система|сервер {method:token} {path:token} не отвечает",
        ],
    ),
    row(
        "operator-answers",
        &["operator answers and talks (for) {seconds:number} second|seconds", "operator answers"],
        &["оператор отвечает и говорит {seconds:number} секунду|секунды|секунд", "оператор отвечает"],
    ),
    row("operator-busy", &["operator is busy"], &["оператор занят"]),
    row("operator-silent", &["operator does not answer"], &["оператор не отвечает"]),
    row("operator-rejects", &["operator rejects"], &["оператор отклоняет"]),
    row("operator-unreachable", &["operator is unreachable"], &["оператор недоступен"]),
    row("operator-missing", &["operator is missing"], &["оператора нет"]),
    row("operators-closed", &["operators are closed"], &["операторы не работают"]),
    row(
        "queue-answers",
        &["queue answers and talks (for) {seconds:number} second|seconds", "queue answers"],
        &["очередь отвечает и говорит {seconds:number} секунду|секунды|секунд", "очередь отвечает"],
    ),
    row("queue-nobody", &["nobody answers"], &["никто не отвечает"]),
    row("queue-closed", &["queue is closed"], &["очередь закрыта"]),
    row("queue-full", &["queue is full"], &["очередь переполнена"]),
    row("queue-missing", &["queue is missing"], &["очереди нет"]),
    row("storage-unavailable", &["storage is unavailable"], &["хранилище недоступно"]),
    row("promises-unavailable", &["promises are unavailable"], &["обещания недоступны"]),
    row("directory-unavailable", &["directory is unavailable"], &["справочник недоступен"]),
    row("directory-knows-nothing", &["directory knows nothing"], &["справочник ничего не знает"]),
    row("then-result", &["then (the) result is {code:name}"], &["тогда итог {code:name}"]),
    row(
        "then-field",
        &["then (the) result has {name:name} = {value:rest}"],
        &["тогда в итоге {name:name} = {value:rest}"],
    ),
    row("then-reached", &["then step {name:name} was reached"], &["тогда пройден шаг {name:name}"]),
    row("then-not-reached", &["then step {name:name} was not|never reached"], &["тогда не пройден шаг {name:name}"]),
    row(
        "then-stored",
        &["then {bucket/key:slot} was stored as {value:data}", "then {bucket/key:slot} was stored"],
        &["тогда сохранено {bucket/key:slot} = {value:data}", "тогда сохранено {bucket/key:slot}"],
    ),
    row("then-not-stored", &["then {bucket/key:slot} was not stored"], &["тогда не сохранено {bucket/key:slot}"]),
    row(
        "then-ticket",
        &["then ticket {kind:name} was registered for {agency:name}", "then ticket {kind:name} was registered"],
        &["тогда зарегистрирована заявка {kind:name} для {agency:name}", "тогда зарегистрирована заявка {kind:name}"],
    ),
    row("then-no-ticket", &["then no ticket was registered"], &["тогда заявка не зарегистрирована"]),
    row(
        "then-callback",
        &["then (a) callback was promised by {queue:name}", "then (a) callback was promised"],
        &["тогда обещан звонок очереди {queue:name}", "тогда обещан звонок"],
    ),
    row("then-no-callback", &["then no callback was promised"], &["тогда звонок не обещан"]),
    row(
        "then-survey",
        &["then survey {survey:name} has {question:name} = {score:number}"],
        &["тогда в опросе {survey:name} стоит {question:name} = {score:number}"],
    ),
    row(
        "then-connected",
        &["then (the) caller was connected to {name:name}"],
        &["тогда абонент|звонящий соединён|соединен с {name:name}"],
    ),
    row(
        "then-heard",
        &["then (the) caller heard {words:quoted}"],
        &["тогда абонент|звонящий слышал|услышал {words:quoted}"],
    ),
    row(
        "then-never-heard",
        &["then (the) caller never heard {words:quoted}"],
        &["тогда абонент|звонящий не слышал|услышал {words:quoted}"],
    ),
    row(
        "then-at-most",
        &["then at most {seconds:number} second|seconds"],
        &["тогда не дольше {seconds:number} секунды|секунд|секунд"],
    ),
    row("then-cpu", &["then cpu under {ms:number} ms"], &["тогда процессор меньше {ms:number} мс"]),
    row(
        "then-memory",
        &["then memory under {kib:number} KiB", "then memory under {kib:mebi} MiB"],
        &["тогда память меньше {kib:number} КиБ", "тогда память меньше {kib:mebi} МиБ"],
    ),
    row(
        "then-plan",
        &["then (the) plan is {plan:name}", "then prepare says {plan:name}"],
        &["тогда план {plan:name}", "тогда prepare отвечает {plan:name}"],
    ),
];
