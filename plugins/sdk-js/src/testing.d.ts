/** One conversation. Every method answers the same one, so that it reads in a row. */
export class Conversation {
  private constructor();
  readonly title: string;

  /** The moment of the call, in its zone: "2026-05-05 12:00". */
  at(time: string): this;
  /** The time zone: "Europe/Moscow". */
  zone(zone: string): this;
  /** The caller's number. */
  from(number: string): this;
  /** The caller withheld the number. */
  withheld(): this;
  /** The language that the caller is spoken to in at first: "ru-RU". */
  language(language: string): this;
  /** The script's entry. */
  entry(entry: string): this;
  /** A value of the configuration. */
  config(key: string, value: string): this;
  /** A secret as the admin keeps it. */
  secret(name: string, value: string): this;
  /** A value that is in a bucket beforehand. */
  stored(bucket: string, key: string, value: unknown): this;
  /** A column of the campaign's contact. */
  contact(name: string, value: string | number): this;
  /** An answering machine takes the call. */
  answeredByMachine(): this;
  /** The back end answers so to every such request that no step is for. */
  backEnd(method: string, path: string, status: number, body?: unknown): this;
  /** The seed of the call's randomness. */
  seed(seed: number): this;
  /** The script says this; … stands for any words. */
  says(words: string): this;
  /** The script asks this. */
  asks(words: string): this;
  /** The caller presses keys. */
  presses(keys: string | number): this;
  /** The caller presses keys while something is said that asks for nothing. */
  interrupts(keys: string | number): this;
  /** The caller says and presses nothing. */
  silent(): this;
  /** The caller hangs up. */
  hangsUp(): this;
  /** The caller speaks, for a recording. */
  speaks(seconds: number): this;
  /** The back end is asked and answers; `sent` is what it must have been sent. */
  backEndAnswers(method: string, path: string, status: number, body?: unknown, options?: { sent?: unknown }): this;
  /** The back end is asked and cannot be reached. */
  backEndFails(method: string, path: string): this;
  /** The back end is asked and never answers. */
  backEndNeverAnswers(method: string, path: string): this;
  /** The party of the transfer answers, and talks for so long. */
  operatorAnswers(seconds?: number): this;
  /** It is busy. */
  operatorBusy(): this;
  /** It does not answer. */
  operatorSilent(): this;
  /** It rejects. */
  operatorRejects(): this;
  /** It cannot be reached. */
  operatorUnreachable(): this;
  /** There is nobody of that name. */
  operatorMissing(): this;
  /** Nobody works now. */
  operatorsClosed(): this;
  /** An operator of the queue answers, and talks for so long. */
  queueAnswers(seconds?: number): this;
  /** Nobody answers within the patience. */
  queueNobody(): this;
  /** Nobody works now. */
  queueClosed(): this;
  /** As many wait as may. */
  queueFull(): this;
  /** There is no queue of that name. */
  queueMissing(): this;
  /** Storage cannot be reached from here on. */
  storageUnavailable(): this;
  /** Nothing can be promised from here on. */
  promisesUnavailable(): this;
  /** The directory cannot be read from here on. */
  directoryUnavailable(): this;
  /** The directory is empty. */
  directoryKnowsNothing(): this;
  /** What the call came to: "served". */
  thenResult(code: string): this;
  /** A field of the result. */
  thenField(name: string, value: string | number): this;
  /** The script came to that step. */
  thenReached(name: string): this;
  /** It did not. */
  thenNotReached(name: string): this;
  /** A value is in a bucket. */
  thenStored(bucket: string, key: string, value: unknown): this;
  /** It is not. */
  thenNotStored(bucket: string, key: string): this;
  /** A ticket of that kind was registered. */
  thenTicket(kind: string, agency?: string): this;
  /** None was. */
  thenNoTicket(): this;
  /** A callback was promised. */
  thenCallback(queue?: string): this;
  /** None was. */
  thenNoCallback(): this;
  /** A mark was given. */
  thenSurvey(survey: string, question: string, score: number): this;
  /** The caller was connected to it. */
  thenConnected(name: string): this;
  /** The caller heard these words at some time. */
  thenHeard(words: string): this;
  /** The caller never did. */
  thenNeverHeard(words: string): this;
  /** The call was at most so long. */
  thenAtMost(seconds: number): this;
  /** It took at most so much CPU. */
  thenCpu(ms: number): this;
  /** It took at most so much memory. */
  thenMemory(kib: number): this;
  /** What a campaign planned: "dial", "skip". */
  thenPlan(plan: string): this;
}

/**
 * A conversation under its title.
 *
 * ```ts
 * print(
 *   conversation("Часы работы").says("Здравствуйте…").asks("Выберите город…").presses(1).says("…").thenReached("office"),
 * );
 * ```
 */
export function conversation(title: string): Conversation;
/** Every conversation of the file, as `gudok test` reads them. */
export function toJson(...conversations: Conversation[]): string;
/** Prints them: the last line of tests/conversations.ts. */
export function print(...conversations: Conversation[]): void;
