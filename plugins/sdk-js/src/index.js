// What an agency's script is written with. The README begins with a whole script; index.d.ts documents everything.

export { Call, Player } from "./call.js";
export { Contact } from "./contact.js";
export * as directory from "./directory.js";
export { campaign, disposition, plan, service } from "./entry.js";
export { CallError } from "./errors.js";
export { Failure, chosen, given } from "./answers.js";
export { orGoodbye, orOperator, retry } from "./failure.js";
export * as host from "./host.js";
export * as http from "./http.js";
export { choose } from "./language.js";
export { offerCallback, requestCallback, submitSurvey, submitTicket } from "./promises.js";
export {
  Item, Piece, Prompt, counted, date, decimal, digits, duration, item, key, media, money, noun, number, ordinal, phone, plainNoun,
  prompt,
  registrationNumber, silence, spell, ssml, time, tone,
} from "./prompt.js";
export { QueueTicket, enterQueue, waitInQueue } from "./queue.js";
export { Recorder, recordMessage, startRecording } from "./recording.js";
export { Bucket } from "./storage.js";
export { abandoned, callbackBooked, endedWith, noService, queued, served, transferred } from "./summary.js";
export { transfer } from "./transfer.js";
export {
  daysBetween, inMinutes, kopecks, minutesOf, nextDay, parseDate, parseRubles, parseTime, parseWhole, weekday,
} from "./values.js";
