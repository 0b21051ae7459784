//! What is wrong, and what a bound left out, in the words of those who look at a picture.

use super::words::Lang;
use gudok_simulator::explore::{FindingKind, LeftOut};

/// What a finding is called.
#[must_use]
pub fn finding_name(kind: FindingKind, lang: Lang) -> &'static str {
    use FindingKind as K;
    let (ru, en) = match kind {
        K::Trap => ("Сценарий падает", "The script crashes"),
        K::Cpu => ("Слишком долго считает", "It computes for too long"),
        K::Memory => ("Просит слишком много памяти", "It asks for too much memory"),
        K::Quota => ("Превышает квоту", "It goes beyond its quota"),
        K::Timeout => ("Длится слишком долго", "It takes too long"),
        K::ReturnedError => ("Кончается ошибкой", "It ends with an error"),
        K::UnhandledBackEndError => ("Отказ системы не обработан", "A system's failure is not handled"),
        K::UnhandledTransferOutcome => ("Неудачный перевод не обработан", "A failed hand-over is not handled"),
        K::UnhandledStoreError => ("Отказ хранилища не обработан", "A failure of storage is not handled"),
        K::ReturnedWithoutServing => ("Кончается, не ответив звонящему", "It ends without having served the caller"),
        K::DeadEnd => ("Тупик", "A dead end"),
        K::EndlessLoop => ("Замкнутый круг", "A circle without a way out"),
        K::IgnoresHangUp => ("Продолжает после отбоя", "It goes on after the caller has hung up"),
        K::NoWayToOperator => ("Отсюда не дойти до оператора", "No way to an operator from here"),
        K::NoInputUnhandled => ("Кто молчит, тому не помогут", "Whoever says nothing is not helped"),
        K::NoMatchUnhandled => ("Кто ошибся клавишей, тому не помогут", "Whoever presses a wrong key is not helped"),
        K::SilentQuestion => ("Ждёт клавишу, ничего не сказав", "Waits for keys, and has said nothing"),
        K::KeyDead => ("Названная клавиша не работает", "A key that is announced does nothing"),
        K::KeyUnannounced => ("О клавише не сказано", "A key is not announced"),
        K::UninterruptiblePrompt => ("Сообщение нельзя прервать", "A prompt that cannot be interrupted"),
        K::TooLongPrompt => ("Слишком длинное сообщение", "A prompt that is too long"),
        K::MissingText => ("Нет текста на этом языке", "A text is missing in this language"),
        K::MissingMedia => ("Нет записи", "A recording is missing"),
        K::SensitiveSpoken => ("Произносит секретное вслух", "What is secret is said aloud"),
        K::SensitiveLogged => ("Пишет секретное в журнал", "What is secret is written to the log"),
        K::PromiseNotTold => ("Об обещании не сказано", "A promise is not told"),
        K::MissingTarget => ("Переводит туда, где никого нет", "It hands over to who is not there"),
        K::PrepareFailed => ("Обзвон не готовится", "The campaign fails before it calls"),
        K::Engine => ("Сбой самой программы", "A fault of the engine"),
    };
    lang.of(ru, en)
}

/// What a bound left out, in a sentence.
#[must_use]
pub fn left_out_in_words(left: &LeftOut, lang: Lang) -> String {
    let Lang::Ru = lang else { return left.what.clone() };
    let max = left.max;
    match left.bound.as_str() {
        "paths_max" => format!("Проверено не больше {max} звонков; осталось непроверенным: {}.", left.decisions),
        "depth_max" => format!("Звонки проверены не дальше {max} шагов; осталось непроверенным: {}.", left.decisions),
        "visits_max" => {
            format!("Одно место проверено не больше {max} раз подряд; осталось непроверенным: {}.", left.decisions)
        }
        "states_max" => format!("Проверено не больше {max} разных мест; осталось непроверенным: {}.", left.decisions),
        "time_max_ms" => {
            format!("Проверка шла не дольше {} с; осталось непроверенным: {}.", max / 1_000, left.decisions)
        }
        _ => left.what.clone(),
    }
}
