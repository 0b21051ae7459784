//! A small service as it should be, and the faults that exploring has to find in it: the setting `fault` plants one of
//! [`FAULTS`]. With `none` there is nothing to be found.
//!
//! Menu: opening hours, an application (a back end is asked), a complaint (a ticket), English, a person.

use core::hint::black_box;
use core::time::Duration;
use gudok_sdk::fetch::Request;
use gudok_sdk::prelude::*;
use gudok_sdk::storage::Bucket;

gudok_sdk::service!(run);

/// The faults that can be planted.
pub const FAULTS: [&str; 26] = [
    "none",
    "trap",
    "cpu",
    "memory",
    "quota",
    "returned-error",
    "back-end-error",
    "back-end-nonsense",
    "transfer-busy",
    "transfer-closed",
    "store-error",
    "returned-without-serving",
    "dead-end",
    "endless-loop",
    "ignores-hang-up",
    "no-operator",
    "no-input",
    "no-match",
    "silent-question",
    "key-dead",
    "key-unannounced",
    "uninterruptible",
    "too-long",
    "missing-text",
    "missing-media",
    "sensitive-spoken",
];
/// Besides: faults of what is written down and promised.
pub const FAULTS_OF_KEEPING: [&str; 3] = ["sensitive-logged", "promise-not-told", "third-time"];

const BACK_END: &str = "http://127.0.0.1:8090/applications";
const PATIENCE: Duration = Duration::from_secs(4);
const ROUNDS_MAX: u32 = 8;

/// One call, with the fault that is planted.
struct Service<'call> {
    call: &'call Call,
    fault: String,
}

#[derive(Clone, Copy)]
enum Choice {
    Hours,
    Application,
    Complaint,
    English,
    Hidden,
    Operator,
}

fn run(call: &Call) -> Result<Summary> {
    let fault = gudok_sdk::host::config("fault").unwrap_or_else(|| "none".to_owned());
    Service { call, fault }.begin()
}

impl Service<'_> {
    fn has(&self, fault: &str) -> bool {
        self.fault == fault
    }

    fn say(&self, russian: &str, english: &str) -> Prompt {
        let english = if self.has("missing-text") { russian } else { english };
        if self.call.speaks("en") { english.into_prompt() } else { russian.into_prompt() }
    }

    fn begin(&self) -> Result<Summary> {
        if self.has("returned-without-serving") {
            return Ok(Summary::served());
        }
        self.call.speak_one_of(&["ru-RU", "en-US"])?;
        let greeting = self.say("Здравствуйте. Это образцовая служба.", "Hello. This is a model service.");
        let greeting = if self.has("uninterruptible") {
            let long = "Прослушайте, пожалуйста, до конца: с первого числа изменился порядок приёма заявлений, и все \
                        окна работают по предварительной записи. ";
            long.repeat(2).as_str().into_prompt().uninterrupted()
        } else {
            greeting
        };
        self.call.say(greeting)?;
        for round in 0..ROUNDS_MAX {
            if self.has("third-time") && round == 3 {
                self.crash();
            }
            if let Some(summary) = self.menu()? {
                return Ok(summary);
            }
        }
        self.operator()
    }

    /// Once through the menu; none where it is to be heard again.
    fn menu(&self) -> Result<Option<Summary>> {
        gudok_sdk::host::step("menu");
        let mut ask: Ask<Choice, Choice> = Ask::new(self.menu_words())
            .on("1", Choice::Hours)
            .on("2", Choice::Application)
            .on("9", Choice::English)
            .no_input(self.say("Я ничего не услышал.", "I have not heard anything."))
            .no_match(self.say("Такого пункта нет.", "There is no such choice."));
        if !self.has("key-dead") {
            ask = ask.on("3", Choice::Complaint);
        }
        if self.has("key-unannounced") {
            ask = ask.on("7", Choice::Hidden);
        }
        if !self.has("no-operator") {
            ask = ask.global("0", Choice::Operator);
        }
        let choice = match ask.ask(self.call)? {
            Answer::Given(choice) | Answer::Global(choice) => choice,
            Answer::NoInput if self.has("no-input") => return Ok(Some(Summary::served())),
            Answer::NoMatch if self.has("no-match") => return Ok(Some(Summary::served())),
            Answer::NoInput | Answer::NoMatch if self.has("no-operator") => return self.goodbye().map(Some),
            Answer::NoInput | Answer::NoMatch => return self.operator().map(Some),
        };
        match choice {
            Choice::Hours => self.hours(),
            Choice::Application => self.application().map(Some),
            Choice::Complaint => self.complaint().map(Some),
            Choice::Hidden => self.goodbye().map(Some),
            Choice::Operator => self.operator().map(Some),
            Choice::English => {
                self.call.set_language("en-US")?;
                Ok(None)
            }
        }
    }

    fn menu_words(&self) -> Prompt {
        if self.has("silent-question") {
            return Prompt::new();
        }
        let russian = "Часы работы: нажмите 1. Ваше заявление: нажмите 2. Жалоба: нажмите 3. English: press nine.";
        let english = "Opening hours: press 1. Your application: press 2. A complaint: press 3. Again: press 9.";
        let (mut russian, mut english) = (russian.to_owned(), english.to_owned());
        if !self.has("no-operator") {
            russian += " Оператор: нажмите 0.";
            english += " A person: press 0.";
        }
        if self.has("too-long") {
            russian = russian.repeat(12);
        }
        self.say(&russian, &english)
    }

    fn hours(&self) -> Result<Option<Summary>> {
        gudok_sdk::host::step("hours");
        if self.has("endless-loop") {
            loop {
                let again: Ask<(), ()> = Ask::new("Часы работы: с восьми до пяти. Повторить: нажмите 1.").on("1", ());
                again.ask(self.call)?;
            }
        }
        if self.has("trap") {
            self.crash();
        }
        if self.has("cpu") {
            loop {
                black_box(0);
            }
        }
        if self.has("memory") {
            let mut hoard = Vec::new();
            loop {
                hoard.push(vec![0xAA_u8; 1 << 20]);
                black_box(&hoard);
            }
        }
        if self.has("quota") {
            loop {
                gudok_sdk::host::count("storm", 1);
            }
        }
        if self.has("returned-error") {
            return Err(CallError::Invalid("nobody has looked into this".into()));
        }
        if self.has("dead-end") {
            return Ok(Some(Summary::served()));
        }
        if self.has("missing-media") {
            self.call.say(gudok_sdk::media("opening-hours"))?;
        }
        let visits = Bucket::open("visits").and_then(|bucket| bucket.increment("hours", 1));
        if self.has("store-error") {
            visits?;
        }
        self.call.say(self.say("Мы работаем с восьми до пяти.", "We are open from eight to five."))?;
        if self.has("ignores-hang-up") {
            while self.call.say("Оставайтесь на линии.").is_err() || self.call.ended().is_none() {
                // The error says that the caller has left.
            }
            loop {
                // And a script that goes on all the same is stopped.
                if self.call.wait(Duration::from_millis(50)).is_ok() {
                    black_box(0);
                }
            }
        }
        self.goodbye().map(Some)
    }

    fn application(&self) -> Result<Summary> {
        gudok_sdk::host::step("application");
        let question =
            self.say("Введите четыре цифры кода. Оператор: звёздочка.", "Enter the four digits. A person: star.");
        let ask: Ask<String, ()> = Ask::digits(question, 4..=4)
            .sensitive()
            .global("*", ())
            .no_input(self.say("Я ничего не услышал.", "I have not heard anything."))
            .no_match(self.say("Цифр не хватает.", "There are digits missing."));
        let Answer::Given(code) = ask.ask(self.call)? else { return self.operator() };
        if self.has("sensitive-spoken") {
            self.call.say(gudok_sdk::digits(code.as_str()))?;
        }
        if self.has("sensitive-logged") {
            self.call.tag(&[("code", code.as_str())])?;
        }
        let sent = Request::post(BACK_END, &code)?.timeout(PATIENCE).send();
        let answer = if self.has("back-end-error") { Ok(sent?) } else { sent };
        let state = answer.and_then(gudok_sdk::fetch::Response::success);
        let state = if self.has("back-end-nonsense") {
            state.map(|state| state.json::<u32>().unwrap_or_else(|_| self.crash()))
        } else {
            state.and_then(|state| state.json::<u32>())
        };
        match state {
            Ok(days) => {
                let days = gudok_sdk::number(days);
                self.call.say(self.say("Готово будет через столько дней:", "Days to wait:").with(days))?;
                self.goodbye()
            }
            Err(error) if error.is_end() => Err(error),
            Err(_) => {
                self.call.say(self.say("Извините, справка недоступна.", "I am sorry, there is no answer."))?;
                self.operator()
            }
        }
    }

    fn complaint(&self) -> Result<Summary> {
        gudok_sdk::host::step("complaint");
        match Ticket::complaint("faulty").submit(self.call, "complaint") {
            Ok(_) if self.has("promise-not-told") => Ok(Summary::served()),
            Ok(number) => {
                let number = gudok_sdk::registration_number(&number);
                self.call
                    .say(self.say("Жалоба принята, номер", "Your complaint is registered, number").with(number))?;
                self.goodbye()
            }
            Err(error) if error.is_end() => Err(error),
            Err(_) => {
                self.call.say(self.say("Жалобу сейчас принять не удалось.", "It could not be registered."))?;
                self.operator()
            }
        }
    }

    fn operator(&self) -> Result<Summary> {
        if self.has("no-operator") {
            return self.goodbye();
        }
        gudok_sdk::host::step("operator");
        match Transfer::to_group("operators").of(self.call) {
            Ok(TransferOutcome::Moved | TransferOutcome::BridgedThenReturned(_)) => return Ok(Summary::transferred()),
            Ok(TransferOutcome::Busy) if self.has("transfer-busy") => return Ok(Summary::served()),
            Ok(TransferOutcome::Closed(_)) if self.has("transfer-closed") => {
                return Err(CallError::Unavailable("nobody works".into()));
            }
            Err(error) if error.is_end() => return Err(error),
            Ok(_) | Err(_) => {}
        }
        self.call.say(self.say("Сейчас никто не может ответить.", "Nobody can answer now."))?;
        self.goodbye()
    }

    fn goodbye(&self) -> Result<Summary> {
        self.call.hangup(self.say("Спасибо за звонок. До свидания.", "Thank you for calling. Goodbye."))?;
        Ok(Summary::served())
    }

    #[expect(clippy::panic, reason = "that is the fault")]
    fn crash(&self) -> ! {
        panic!("planted: {}", self.fault)
    }
}
