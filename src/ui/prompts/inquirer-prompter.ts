/** Asks with @inquirer/prompts, one prompt at a time, and prints lines above the open prompt. */
import { KeyQueue, type TypedKey } from "../terminal/key-queue.ts";
import { answerOf, draftFor, press, refused, withoutTyped, type DraftAnswer } from "./draft-answer.ts";
import { Question } from "./inquirer-question.ts";
import {
  completesNames,
  isList,
  type Answer,
  type Prompt,
  type Prompter,
  type PrompterOptions,
} from "./prompt.ts";

/** Name of the error that an open prompt rejects with when the process ends. */
const PROCESS_ENDS = "ExitPromptError";
/** Notices that are held back while an answer is typed; the oldest are dropped, and counted. */
const MAX_HELD = 200;
const BELL = "\u0007";

type State =
  /** `last`: the draft of the prompt before, since the next one may ask the same. */
  | { readonly name: "idle"; readonly last: DraftAnswer | undefined }
  /** `held`: notices that are printed when the question is taken off the screen, after so many that were `dropped`. */
  | { readonly name: "asking"; readonly question: Question; readonly held: string[]; dropped: number }
  /** A shell has the terminal; `last` is asked again afterwards. */
  | { readonly name: "suspended"; readonly last: DraftAnswer }
  | { readonly name: "closed"; readonly last: undefined };

export class InquirerPrompter implements Prompter {
  readonly #options: PrompterOptions;
  readonly #keys: KeyQueue;
  #state: State = { name: "idle", last: undefined };

  constructor(options: PrompterOptions) {
    this.#options = options;
    const { input, output } = options;
    this.#keys = new KeyQueue(
      { input, output, hasSequences: true },
      {
        isAsking: () => this.#state.name === "asking",
        key: (key, isLast) => this.#take(key, isLast),
        interrupted: () => this.#answer({ name: "interrupted" }),
        suspending: () => this.#suspend(),
        resized: () => this.#redraw(),
        continued: () => this.#goOn(),
      },
    );
  }

  open(prompt: Prompt): void {
    const state = this.#state;
    if (state.name === "closed") return;
    if (state.name === "asking" && Bun.deepEquals(state.question.draft.prompt, prompt)) return;
    this.#ask(draftFor(prompt, this.#leave()), true);
  }

  /** What is printed during an input prompt appears when the prompt is answered. */
  print(notices: readonly string[]): void {
    if (this.#state.name !== "asking") {
      this.#options.output.write(notices.join(""));
      return;
    }
    const { held } = this.#state;
    held.push(...notices);
    this.#state.dropped += held.splice(0, held.length - MAX_HELD).length;
    this.#redraw();
  }

  close(): void {
    if (this.#state.name === "closed") return;
    this.#leave();
    this.#state = { name: "closed", last: undefined };
    this.#keys.close();
  }

  #take(pressed: TypedKey, isLast: boolean): void {
    if (this.#state.name !== "asking") return;
    const { question } = this.#state;
    if (pressed.key.name === "escape") {
      this.#answer({ name: "back" });
      return;
    }
    // In a search, @inquirer/prompts would type the marked choice.
    if (pressed.key.name === "tab") {
      if (completesNames(question.draft.prompt)) this.#complete(question);
      return;
    }
    const effect = press(question.draft, pressed, isLast);
    switch (effect) {
      case "pass":
        question.press(pressed);
        return;
      case "ignore":
        return;
      case "redraw":
        this.#redraw();
        return;
      case "refuse":
        this.#options.output.write(BELL);
        // What was typed behind it at once was not meant for the list either.
        this.#keys.drop();
        this.#leave();
        this.#ask(refused(question.draft));
        return;
      default:
        effect satisfies never;
    }
  }

  #complete(question: Question): void {
    const { typed } = question.draft;
    const completed = this.#options.complete(typed);
    if (completed === typed) this.#options.output.write(BELL);
    else question.retype(completed);
  }

  #ask(draft: DraftAnswer, isNew = false): void {
    const { output, texts } = this.#options;
    const question = new Question(draft, output, texts);
    // A question that was taken off rejects; that is ignored.
    const isOpen = () => this.#state.name === "asking" && this.#state.question === question;
    this.#state = { name: "asking", question, held: [], dropped: 0 };
    question.ask(isNew).then(
      (value) => {
        if (isOpen()) this.#answer(answerOf(question.draft, value));
      },
      (error: unknown) => {
        if (!isOpen()) return;
        this.#answer({ name: "interrupted" });
        if (!(error instanceof Error && error.name === PROCESS_ENDS)) throw error;
      },
    );
    this.#keys.wake();
  }

  /** Ends the open question; unless it was answered, it is erased. @returns its draft, or the one before */
  #leave(isAnswered = false): DraftAnswer | undefined {
    if (this.#state.name !== "asking") return this.#state.last;
    const { question, held, dropped } = this.#state;
    if (!isAnswered) question.takeOff();
    this.#state = { name: "idle", last: question.draft };
    if (dropped > 0) held.unshift(this.#options.dropped(dropped));
    if (held.length > 0) this.#options.output.write(held.join(""));
    return question.draft;
  }

  #answer(answer: Answer): void {
    const last = this.#leave(answer.name === "answered");
    if (last !== undefined) this.#state = { name: "idle", last: withoutTyped(last) };
    this.#options.answered(answer);
  }

  /** Draws an open list again; an input prompt, in which the person may be typing, stays as it is. */
  #redraw(): void {
    if (this.#state.name !== "asking") return;
    const { draft } = this.#state.question;
    if (!isList(draft.prompt)) return;
    this.#leave();
    this.#ask(draftFor(draft.prompt, draft));
  }

  #suspend(): void {
    if (this.#state.name !== "asking") return;
    const last = this.#state.question.draft;
    this.#leave();
    this.#state = { name: "suspended", last };
  }

  #goOn(): void {
    if (this.#state.name === "suspended") this.#ask(draftFor(this.#state.last.prompt, this.#state.last));
    else this.#redraw();
  }
}
