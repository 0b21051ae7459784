// The interface's modules, which only a built script has, are fakes here.
import { register } from "node:module";

register("./hooks.js", import.meta.url);
