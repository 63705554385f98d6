import { describe, expect, test } from "bun:test";
import {
  encodeFrame,
  FrameDecoder,
  PEER_OBJECT_LIMIT,
  RENDEZVOUS_OBJECT_LIMIT,
  type FrameFault,
  type JsonObject,
} from "../../src/protocol/framing.ts";
import { seededRandom, testSeed, type SeededRandom } from "../seeded-random.ts";

type FrameEvent = JsonObject | FrameFault;

const CERTIFICATE = `-----BEGIN CERTIFICATE-----\n${"MIIBszCCAWWgAwIBAgIUZm9v/+ab".repeat(20)}\n-----END CERTIFICATE-----\n`;
const TOKEN = "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k";
const ID = "0199a8c4-5d2e-7c31-9b1f-3f2a6c9d1e40";
const FINGERPRINT = "3f".repeat(32);
const TIME = "2025-10-03T12:00:00.000Z";

/** One of each shape of PROTOCOL 4, 5 and 6. */
const MESSAGES: readonly JsonObject[] = [
  { action: "register", username: "ñandú", password: 'a "quoted" \\ pass{word}', email: "" },
  { action: "register_response", success: true, message: "Usuario registrado exitosamente", code: "ok" },
  { action: "login", username: "ana", password: "contraseña", p2p_port: 9000 },
  {
    action: "login",
    username: "ana",
    password: "contraseña",
    p2p_port: 9000,
    public_key: "MCowBQYDK2VwAyEA+/8=",
    addresses: ["192.168.1.7", "fe80::1"],
    lang: "en",
    id: 1,
  },
  {
    action: "login_response",
    success: true,
    message: "Login exitoso",
    username: "ana",
    code: "ok",
    session_token: TOKEN,
    certificate: CERTIFICATE,
    authority: CERTIFICATE,
    expires_at: TIME,
    time: TIME,
    new_key: false,
  },
  { action: "get_users" },
  { action: "get_users", prefix: "a", after: "ana", limit: 500, id: "x" },
  {
    action: "users_list",
    users: [{ username: "bea", ip: "::1", p2p_port: 9001, secure: true }],
    next: "bea",
  },
  { action: "users_list", users: [] },
  { action: "request_p2p", target_user: "bea" },
  {
    action: "p2p_info",
    target_user: "bea",
    target_ip: "10.0.0.2",
    target_port: 9001,
    secure: true,
    candidates: [{ kind: "direct", ip: "10.0.0.2", port: 9001 }],
    fingerprint: FINGERPRINT,
  },
  { action: "resume", session_token: TOKEN, p2p_port: 9000, public_key: "MCow", addresses: [], lang: "es" },
  { action: "renew", public_key: "MCowBQYDK2VwAyEA" },
  { action: "renew_response", success: true, certificate: CERTIFICATE, expires_at: TIME, time: TIME },
  { action: "watch", users: ["bea", "carlos"] },
  { action: "watch_response", success: true, online: ["bea"] },
  { action: "presence", username: "bea", online: false },
  { action: "ping" },
  { action: "pong", time: TIME, authority: CERTIFICATE },
  { action: "logout" },
  { action: "logout_response", success: true, code: "ok", message: "" },
  { action: "change_password", password: "old}", new_password: "new{" },
  { action: "change_password_response", success: true, code: "ok" },
  { action: "delete_account", password: "🕊️" },
  { action: "delete_account_response", success: true, code: "ok" },
  {
    action: "error",
    success: false,
    code: "rate_limited",
    message: "Espera",
    request: "login",
    retry_after: 3,
  },
  { action: "error", success: false, code: "tls_required", message: "TLS", tls_port: 8443 },
  { action: "hello", protocol: 1, username: "ana", features: ["edit"] },
  { message: "hola" },
  { message: '¿qué "tal"? {\\} \u2028 \u0000 🕊️ 漢字', id: ID, sent_at: TIME, reply_to: ID },
  { action: "delivered", ids: [ID, ID] },
  { action: "read", id: ID },
  { action: "typing", active: true },
  { action: "edit", id: ID, message: "hola" },
  { action: "withdraw", id: ID },
  { action: "bye" },
  { action: "file_offer", id: ID, name: "informe final.pdf", size: null, modified: TIME },
  { action: "file_accept", id: ID },
  { action: "file_decline", id: ID, reason: "no" },
  { action: "file_end", id: ID, size: 1048576, digest: FINGERPRINT },
  { action: "file_done", id: ID },
  { action: "file_cancel", id: ID, reason: "disk_full" },
  {
    action: "stream",
    transfer: ID,
    ranges: [
      [0, 10],
      [20, null],
    ],
  },
];

/** Bytes of a text; a Buffer, as Bun's sockets give them. */
function bytesOf(text: string): Buffer {
  return Buffer.from(text, "utf8");
}

function drain(decoder: FrameDecoder): FrameEvent[] {
  const events: FrameEvent[] = [];
  for (;;) {
    const event = decoder.next();
    if (event === undefined) return events;
    events.push(event);
  }
}

function decode(chunks: Iterable<Uint8Array>, limit = PEER_OBJECT_LIMIT): FrameEvent[] {
  const decoder = new FrameDecoder(limit);
  const events: FrameEvent[] = [];
  for (const chunk of chunks) {
    decoder.push(chunk, 0);
    events.push(...drain(decoder));
  }
  return events;
}

function* singleBytes(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at++) yield bytes.subarray(at, at + 1);
}

/** What the bytes give, having checked that one chunk and single bytes give the same. */
function decodeBothWays(input: string | Uint8Array, limit = PEER_OBJECT_LIMIT): FrameEvent[] {
  const bytes = typeof input === "string" ? bytesOf(input) : input;
  const whole = decode([bytes], limit);
  expect(decode(singleBytes(bytes), limit)).toEqual(whole);
  return whole;
}

/** PROTOCOL 1 word for word, for complete input: slow and without state, to compare the decoder with. */
function model(bytes: Uint8Array, limit: number): FrameEvent[] {
  const events: FrameEvent[] = [];
  let at = 0;
  const garbage = (offending: number): void => {
    events.push("garbage");
    at = offending;
    while (at < bytes.length && bytes[at] !== 0x0a) at++;
    at++;
  };
  while (at < bytes.length) {
    const first = String.fromCharCode(bytes[at] as number);
    if (" \t\r\n".includes(first)) {
      at++;
    } else if (first !== "{") {
      garbage(at);
    } else {
      const verdict = modelObject(bytes, at, limit);
      if (verdict === "incomplete") break;
      if (verdict === "tooLarge") return [...events, "tooLarge"];
      if ("object" in verdict) {
        events.push(verdict.object);
        at = verdict.end;
      } else {
        garbage(verdict.offending);
      }
    }
  }
  return events;
}

type Verdict = "incomplete" | "tooLarge" | { object: JsonObject; end: number } | { offending: number };

function modelObject(bytes: Uint8Array, start: number, limit: number): Verdict {
  let depth = 0;
  let string: "out" | "in" | "escape" = "out";
  for (let at = start; at < bytes.length; at++) {
    if (at - start === limit) return "tooLarge";
    const byte = bytes[at] as number;
    const character = String.fromCharCode(byte);
    if (string !== "out" && byte < 0x20) return { offending: at };
    if (string === "escape") string = "in";
    else if (string === "in") string = character === '"' ? "out" : character === "\\" ? "escape" : "in";
    else if (character === '"') string = "in";
    else if (character === "{") depth++;
    else if (character === "}") depth--;
    if (depth > 0) continue;
    try {
      const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
        bytes.slice(start, at + 1),
      );
      return { object: JSON.parse(text) as JsonObject, end: at + 1 };
    } catch {
      return { offending: at };
    }
  }
  return "incomplete";
}

describe("messages", () => {
  test("each message of both links is read whole when it is cut at any byte", () => {
    for (const message of MESSAGES) {
      const bytes = bytesOf(encodeFrame(message));
      for (let cut = 0; cut <= bytes.length; cut++) {
        const events = decode([bytes.subarray(0, cut), bytes.subarray(cut)]);
        if (events.length !== 1 || !Bun.deepEquals(events[0], message)) {
          throw new Error(`cut at ${cut} of ${bytes}: ${JSON.stringify(events)}`);
        }
      }
    }
  });

  test("each message is acted on when its last brace has arrived, without a line feed", () => {
    for (const message of MESSAGES) {
      const bytes = bytesOf(JSON.stringify(message));
      const decoder = new FrameDecoder(PEER_OBJECT_LIMIT);
      for (const byte of singleBytes(bytes.subarray(0, -1))) {
        decoder.push(byte, 0);
        if (decoder.next() !== undefined) throw new Error(`too early: ${bytes}`);
      }
      decoder.push(bytes.subarray(-1), 0);
      expect(drain(decoder)).toEqual([message]);
      expect(decoder.heldBytes).toBe(0);
    }
  });

  test("messages back to back, on lines, and pretty-printed are the same messages", () => {
    const texts = MESSAGES.map((message) => JSON.stringify(message));
    const pretty = MESSAGES.map((message) => JSON.stringify(message, null, 2));
    const layouts = [
      texts.join(""),
      texts.join("\n"),
      texts.map((text) => `${text}\n`).join(""),
      texts.join("\r\n"),
      texts.join(" \t\r\n\n "),
      texts.map((text) => `${text} \t\r\n`).join(""),
      pretty.join(""),
      pretty.join("\n"),
      pretty.join("\n").replaceAll("\n", "\r\n"),
      MESSAGES.map((_, index) => (index % 3 === 0 ? pretty[index] : texts[index])).join("\n"),
    ];
    for (const layout of layouts) expect(decodeBothWays(layout)).toEqual([...MESSAGES]);
  });

  test("a plain Uint8Array that is a part of a larger buffer is read within its bounds", () => {
    const line = bytesOf('}}{"a":"ñ"}\n{"b":1}{"c":2}]]');
    const inside = new Uint8Array(line).subarray(2, line.length - 2);
    expect(decodeBothWays(inside)).toEqual([{ a: "ñ" }, { b: 1 }, { c: 2 }]);
  });

  test("a frame is one compact line, even if its strings contain line feeds", () => {
    expect(encodeFrame({ a: "x\ny\u0001", b: [1, null] })).toBe('{"a":"x\\ny\\u0001","b":[1,null]}\n');
    expect(decodeBothWays(encodeFrame({ a: "\ud800" }))).toEqual([{ a: "\ud800" }]);
  });
});

describe("garbage", () => {
  const good = '{"a":1}';
  const cases: readonly (readonly [name: string, input: string | Uint8Array, expected: FrameEvent[]])[] = [
    ["before an object takes the line with it", `x${good}\n${good}\n`, ["garbage", { a: 1 }]],
    [
      "behind an object takes the rest of the line",
      `${good}x${good}\n${good}\n`,
      [{ a: 1 }, "garbage", { a: 1 }],
    ],
    [
      "on several lines counts once a line",
      `GET / HTTP/1.1\r\nHost: x\r\n\r\n${good}`,
      ["garbage", "garbage", { a: 1 }],
    ],
    ["without a line feed swallows all that follows", `x${good}${good}`, ["garbage"]],
    ["that is a stray brace is garbage", `}\n${good}`, ["garbage", { a: 1 }]],
    [
      "that is a list, a number or a string is garbage",
      `[{}]\n1\n"a"\n${good}`,
      ["garbage", "garbage", "garbage", { a: 1 }],
    ],
    ["that is a byte order mark is garbage", `\ufeff${good}\n${good}`, ["garbage", { a: 1 }]],
    [
      "that is another white space is garbage",
      `\f${good}\n\v\n\u00a0\n${good}`,
      ["garbage", "garbage", "garbage", { a: 1 }],
    ],
    ["inside is known at the closing brace", `{"a":1,}${good}\n${good}`, ["garbage", { a: 1 }]],
    [
      "inside a pretty-printed object spares the next line",
      `{\n"a":\nx\n}${good}\n${good}`,
      ["garbage", { a: 1 }],
    ],
    ["that is a raw line feed in a string ends with it", `{"a":"b\n${good}`, ["garbage", { a: 1 }]],
    ["that is a raw tab in a string takes the line", `{"a":"b\tc"}${good}\n${good}`, ["garbage", { a: 1 }]],
    ["that is a raw zero in a string takes the line", `{"a":"b\0c"}\n${good}`, ["garbage", { a: 1 }]],
    ["that is a line feed behind a backslash ends with it", `{"a":"b\\\n${good}`, ["garbage", { a: 1 }]],
    ["by wrong escapes is garbage", `{"a":"\\x"}\n{"a":"\\u12"}\n${good}`, ["garbage", "garbage", { a: 1 }]],
    [
      "by wrong literals is garbage",
      `{a:1}\n{"a":NaN}\n{"a":01}\n{'a':1}\n{"a"}\n${good}`,
      [..."12345"].map(() => "garbage" as FrameEvent).concat({ a: 1 }),
    ],
    ["by mixed brackets is garbage", `{"a":[}\n${good}`, ["garbage", { a: 1 }]],
    ["is not a brace in a string", `{"a":"}{\\"}","b":{"c":"{"}}\n`, [{ a: '}{"}', b: { c: "{" } }]],
    [
      "of a byte that no UTF-8 has is garbage",
      Buffer.concat([bytesOf('{"a":"'), Buffer.of(0xff), bytesOf(`"}\n${good}`)]),
      ["garbage", { a: 1 }],
    ],
    [
      "of a character cut short is garbage",
      Buffer.concat([bytesOf('{"a":"'), Buffer.of(0xe6, 0xbc), bytesOf(`"}\n${good}`)]),
      ["garbage", { a: 1 }],
    ],
    [
      "of an overlong slash is garbage",
      Buffer.concat([bytesOf('{"a":"'), Buffer.of(0xc0, 0xaf), bytesOf(`"}\n${good}`)]),
      ["garbage", { a: 1 }],
    ],
    [
      "of a surrogate in UTF-8 is garbage",
      Buffer.concat([bytesOf('{"a":"'), Buffer.of(0xed, 0xa0, 0x80), bytesOf(`"}\n${good}`)]),
      ["garbage", { a: 1 }],
    ],
    [
      "in one line leaves the lines beside it, valid UTF-8, alone",
      Buffer.concat([bytesOf('{"a":"ñ"}\n{"a":"'), Buffer.of(0x80), bytesOf('"}\n{"a":"漢"}\n')]),
      [{ a: "ñ" }, "garbage", { a: "漢" }],
    ],
    [
      "of bytes behind an object is not that object's",
      Buffer.concat([bytesOf(good), Buffer.of(0xff), bytesOf(`\n${good}`)]),
      [{ a: 1 }, "garbage", { a: 1 }],
    ],
  ];
  for (const [name, input, expected] of cases) {
    test(`garbage ${name}`, () => {
      expect(decodeBothWays(input)).toEqual(expected);
      expect(model(typeof input === "string" ? bytesOf(input) : input, PEER_OBJECT_LIMIT)).toEqual(expected);
    });
  }

  test("garbage before, inside and behind each message leaves the messages on the other lines", () => {
    for (const message of MESSAGES) {
      const text = JSON.stringify(message);
      const input = `?${text}\n${text}\n${text.slice(0, -1)},}\n${text}}\n${text}`;
      expect(decodeBothWays(input)).toEqual(["garbage", message, "garbage", message, "garbage", message]);
    }
  });

  test("garbage is reported at once and never held", () => {
    const decoder = new FrameDecoder(RENDEZVOUS_OBJECT_LIMIT);
    decoder.push(bytesOf('{"a":"b\tc'), 1);
    expect(drain(decoder)).toEqual(["garbage"]);
    expect(decoder.openSince).toBeUndefined();
    for (let round = 0; round < 100; round++) {
      decoder.push(bytesOf('{"b":1}'.repeat(1000)), 2);
      expect(decoder.heldBytes).toBe(0);
      expect(decoder.next()).toBeUndefined();
    }
    decoder.push(bytesOf('x\n{"c":1}'), 3);
    expect(drain(decoder)).toEqual([{ c: 1 }]);
  });

  test("nesting of any depth within the limit gives an object or garbage, not an exception", () => {
    const deep = `${'{"a":'.repeat(40_000)}1${"}".repeat(40_000)}`;
    const bytes = bytesOf(`${deep}\n{"a":1}\n`);
    for (const events of [decode([bytes]), decode(singleBytes(bytes))]) {
      expect(events).toHaveLength(2);
      expect(events[1]).toEqual({ a: 1 });
    }
  });

  test("names of the prototype are fields like others", () => {
    const [event] = decodeBothWays('{"__proto__":{"x":1},"constructor":2}\n');
    expect(Object.keys(event as JsonObject)).toEqual(["__proto__", "constructor"]);
    expect((event as JsonObject)["x"]).toBeUndefined();
  });
});

describe("UTF-8 over several reads", () => {
  test("a read of invalid UTF-8 after a read of valid lines is garbage, and the other way round", () => {
    const valid = bytesOf('{"a":"ñ"}\n');
    const invalid = Buffer.from(valid).fill(0xff, 6, 7);
    expect(decode([valid, invalid, valid, invalid])).toEqual([{ a: "ñ" }, "garbage", { a: "ñ" }, "garbage"]);
  });

  test("a character split between two reads at any byte is valid", () => {
    const line = bytesOf('{"a":"ñ漢🕊"}\n{"b":"🕊"}\n');
    for (let first = 0; first <= line.length; first++) {
      for (let second = first; second <= line.length; second++) {
        const events = decode([line.subarray(0, first), line.subarray(first, second), line.subarray(second)]);
        expect(events).toEqual([{ a: "ñ漢🕊" }, { b: "🕊" }]);
      }
    }
  });
});

describe("limits", () => {
  /** An object of exactly `size` bytes. */
  const sized = (size: number): string => `{"a":"${"x".repeat(size - 8)}"}`;

  for (const limit of [RENDEZVOUS_OBJECT_LIMIT, PEER_OBJECT_LIMIT]) {
    test(`an object of ${limit} bytes or one less passes, one more is too large`, () => {
      for (const tail of ["", "\n", " \t\r\n", `\n${sized(20)}\n`]) {
        const after = tail.length > 10 ? 1 : 0;
        expect(decodeBothWays(sized(limit - 1) + tail, limit)).toHaveLength(1 + after);
        expect(decodeBothWays(sized(limit) + tail, limit)).toHaveLength(1 + after);
        expect(decodeBothWays(sized(limit + 1) + tail, limit)).toEqual(["tooLarge"]);
      }
    });
  }

  test("white space around an object and many objects on a line do not count", () => {
    const spaces = " ".repeat(100);
    expect(decodeBothWays(`${spaces}${sized(50)}${spaces}\n${sized(20).repeat(10)}\n`, 50)).toHaveLength(11);
  });

  test("a pretty-printed object counts from its first to its last brace", () => {
    const text = JSON.stringify({ a: [1, 2, { b: "ñ" }] }, null, 4);
    const size = bytesOf(text).length;
    expect(decodeBothWays(`\n\n${text}\n`, size)).toEqual([{ a: [1, 2, { b: "ñ" }] }]);
    expect(decodeBothWays(`\n\n${text}\n`, size - 1)).toEqual(["tooLarge"]);
  });

  test("an object is too large with the byte after the limit; then the decoder is finished and holds nothing", () => {
    const decoder = new FrameDecoder(100);
    decoder.push(bytesOf(`{"a":"${"x".repeat(94)}`), 1);
    expect(drain(decoder)).toEqual([]);
    expect(decoder.heldBytes).toBe(100);
    decoder.push(bytesOf("x"), 2);
    decoder.push(bytesOf('"}\n{"a":1}\n'), 2);
    expect(decoder.next()).toBe("tooLarge");
    expect(decoder.heldBytes).toBe(0);
    expect(decoder.openSince).toBeUndefined();
    decoder.push(bytesOf('\n{"a":1}\n'), 3);
    expect(decoder.next()).toBeUndefined();
    expect(decoder.heldBytes).toBe(0);
    expect(decoder.takeRest()).toHaveLength(0);
  });

  test("two megabytes without a closing brace hold no more than the limit and one read", () => {
    const decoder = new FrameDecoder(PEER_OBJECT_LIMIT);
    const read = bytesOf(`{"a":[${" ".repeat(65_530)}`);
    const events: FrameEvent[] = [];
    for (let sent = 0; sent < 2 ** 21; sent += read.length) {
      decoder.push(read, 0);
      expect(decoder.heldBytes).toBeLessThanOrEqual(PEER_OBJECT_LIMIT + read.length);
      events.push(...drain(decoder));
    }
    expect(events).toEqual(["tooLarge"]);
  });
});

describe("what the caller can ask", () => {
  test("openSince is the time of the read that brought the opening brace, until the object ends", () => {
    const decoder = new FrameDecoder(RENDEZVOUS_OBJECT_LIMIT);
    expect(decoder.openSince).toBeUndefined();
    const steps: readonly (readonly [text: string, now: number, expected: number | undefined])[] = [
      [" \n", 1, undefined],
      ["{", 2, 2],
      ['"a"', 3, 2],
      [":1", 4, 2],
      ["}", 5, undefined],
      ['{"b":1}\n{', 6, 6],
      ["", 7, 6],
      ['}{"c":', 8, 8],
      ["x}", 9, undefined],
      ["{", 10, undefined],
      ["\n{", 11, 11],
      ['"\n', 12, undefined],
    ];
    for (const [text, now, expected] of steps) {
      decoder.push(bytesOf(text), now);
      drain(decoder);
      expect({ text, openSince: decoder.openSince }).toEqual({ text, openSince: expected });
    }
  });

  test("openSince is that of its own read when several reads wait", () => {
    const decoder = new FrameDecoder(RENDEZVOUS_OBJECT_LIMIT);
    decoder.push(bytesOf('{"a":1}'), 1);
    decoder.push(bytesOf('{"b":1}{"c"'), 2);
    decoder.push(bytesOf(":1"), 3);
    expect(decoder.next()).toEqual({ a: 1 });
    expect(decoder.heldBytes).toBe(13);
    expect(decoder.next()).toEqual({ b: 1 });
    expect(decoder.next()).toBeUndefined();
    expect(decoder.openSince).toBe(2);
    expect(decoder.heldBytes).toBe(6);
  });

  test("reads that wait keep their order in any sequence of next and push", () => {
    const decoder = new FrameDecoder(RENDEZVOUS_OBJECT_LIMIT);
    const seen: FrameEvent[] = [];
    for (let round = 0; round < 1000; round++) {
      decoder.push(bytesOf(`{"n":${2 * round}}`), round);
      decoder.push(bytesOf(`{"n":${2 * round + 1}}\n`), round);
      const event = decoder.next();
      if (event !== undefined) seen.push(event);
    }
    seen.push(...drain(decoder));
    expect(seen).toEqual(Array.from({ length: 2000 }, (_, n) => ({ n })));
    expect(decoder.heldBytes).toBe(0);
  });

  test("takeRest returns exactly the bytes after the closing brace, and the decoder holds none of them", () => {
    const data = seededRandom(7).bytes(1000);
    const line = bytesOf('{"action":"stream","transfer":"x"}');
    for (const tail of [
      Buffer.alloc(0),
      bytesOf("\n"),
      Buffer.concat([bytesOf("\n"), data]),
      Buffer.concat([bytesOf("\n \n{}"), data]),
    ]) {
      const stream = Buffer.concat([line, tail]);
      for (const cut of [0, 1, 10, line.length - 1]) {
        const decoder = new FrameDecoder(PEER_OBJECT_LIMIT);
        decoder.push(stream.subarray(0, cut), 0);
        expect(decoder.next()).toBeUndefined();
        decoder.push(stream.subarray(cut), 0);
        expect(decoder.next()).toEqual({ action: "stream", transfer: "x" });
        expect(tail.equals(decoder.takeRest())).toBe(true);
        expect(decoder.heldBytes).toBe(0);
        expect(decoder.next()).toBeUndefined();
        expect(decoder.takeRest()).toHaveLength(0);
      }
    }
  });

  test("among lines of any length in characters, heldBytes and takeRest are exact to the byte", () => {
    const lines = ['{"a":"x"}\n', '{"a":"¿mañana?"}\r\n', ' {"a":"🕊漢"} \t\n\n', '{"a":"ñ"}\n'];
    const data = Buffer.from(seededRandom(8).bytes(1000));
    const parts = Array.from({ length: 10_000 }, (_, n) => bytesOf(lines[n % lines.length] as string));
    const stream = Buffer.concat([...parts, bytesOf('{"action":"stream"}'), data]);
    const decoder = new FrameDecoder(PEER_OBJECT_LIMIT);
    decoder.push(stream, 0);
    let behind = stream.length;
    for (const part of parts) {
      expect(decoder.next()).toEqual(JSON.parse(part.toString()) as JsonObject);
      expect(decoder.heldBytes).toBe(behind - (part.lastIndexOf("}") + 1));
      behind -= part.length;
    }
    expect(decoder.next()).toEqual({ action: "stream" });
    expect(data.equals(decoder.takeRest())).toBe(true);
    expect(decoder.heldBytes).toBe(0);
  });

  test("takeRest joins the open object, the read in hand and the reads that wait", () => {
    const decoder = new FrameDecoder(PEER_OBJECT_LIMIT);
    decoder.push(bytesOf('{"a":1}{"b"'), 0);
    decoder.push(bytesOf("123"), 0);
    expect(decoder.next()).toEqual({ a: 1 });
    decoder.push(bytesOf("45"), 0);
    expect(Buffer.from(decoder.takeRest()).toString()).toBe('{"b"12345');
    decoder.push(bytesOf("{"), 0);
    expect(decoder.next()).toBeUndefined();
    decoder.push(bytesOf("xyz"), 0);
    expect(Buffer.from(decoder.takeRest()).toString()).toBe("{xyz");
    expect(decoder.openSince).toBeUndefined();
    decoder.push(bytesOf('{"c":1}'), 0);
    expect(drain(decoder)).toEqual([{ c: 1 }]);
  });
});

describe("random mixes", () => {
  const seed = testSeed();

  function randomValue(random: SeededRandom, depth: number): unknown {
    switch (random.integer(depth > 2 ? 5 : 8)) {
      case 0:
        return random.integer(1000) - 500 + random.integer(2) / 2;
      case 1:
        return random.pick([true, false, null]);
      case 5:
        return Array.from({ length: random.integer(4) }, () => randomValue(random, depth + 1));
      case 6:
      case 7:
        return randomObject(random, depth + 1);
      default:
        return randomText(random);
    }
  }

  function randomText(random: SeededRandom): string {
    const parts = [
      "a",
      "bcd",
      "{",
      "}",
      '"',
      "\\",
      "\n",
      "\t",
      "\u0000",
      "ñ",
      "漢字",
      "🕊️",
      "\u2028",
      "\ud800",
      "[",
      " ",
      "\ufeff",
      "\u007f",
    ];
    return Array.from({ length: random.integer(6) }, () => random.pick(parts)).join("");
  }

  function randomObject(random: SeededRandom, depth: number): JsonObject {
    const object: JsonObject = {};
    for (let count = random.integer(4); count > 0; count--)
      object[randomText(random)] = randomValue(random, depth);
    return object;
  }

  function randomPiece(random: SeededRandom): Uint8Array {
    const text = JSON.stringify(randomObject(random, 0), null, random.pick([0, 0, 0, 1, "\t", "\r\n"]));
    switch (random.integer(14)) {
      case 0:
        return bytesOf(
          random.pick([
            "x",
            "}",
            "]",
            "\ufeff",
            "null",
            '"',
            "\\",
            "\f",
            "\0",
            "{",
            '{"',
            "{}",
            "{}\r",
            "[{}]",
          ]),
        );
      case 1:
        return random.bytes(random.integer(8));
      case 2: {
        // One byte of an object replaced: mostly garbage inside.
        const bytes = bytesOf(`${text}${random.pick(["\n", ""])}`);
        bytes[random.integer(bytes.length)] = random.integer(256);
        return bytes;
      }
      case 3: {
        const bytes = bytesOf(text);
        return bytes.subarray(0, random.integer(bytes.length));
      }
      case 4:
        return bytesOf(random.pick([" ", "\t", "\r\n", "\n\n", "   \n  "]));
      case 5:
        return bytesOf(text);
      default:
        return bytesOf(`${text}${random.pick(["\n", "\n", "\n", "\r\n", " \n", ""])}`);
    }
  }

  function* randomCuts(random: SeededRandom, bytes: Uint8Array): Generator<Uint8Array> {
    const longest = random.pick([1, 3, 20, 200, 2000]);
    for (let at = 0; at < bytes.length;) {
      const length = 1 + random.integer(longest);
      yield bytes.subarray(at, at + length);
      at += length;
    }
  }

  test("any mixture, split anywhere, is decoded by the rules", () => {
    const random = seededRandom(seed);
    const counts = { objects: 0, garbage: 0, tooLarge: 0 };
    for (let round = 0; round < 5_000; round++) {
      const bytes = Buffer.concat(Array.from({ length: 1 + random.integer(10) }, () => randomPiece(random)));
      const limit = random.pick([2, 20, 60, 1000, 1000, 1000, 1000]);
      const expected = model(bytes, limit);
      const ways = { whole: [bytes], cut: [...randomCuts(random, bytes)], single: [...singleBytes(bytes)] };
      for (const [way, chunks] of Object.entries(ways)) {
        const events = decode(chunks, limit);
        if (Bun.deepEquals(events, expected)) continue;
        throw new Error(
          `PALOMA_TEST_SEED=${seed} round ${round} limit ${limit} ${way} ${JSON.stringify(chunks.map((chunk) => Buffer.from(chunk).toString("latin1")))}: ` +
            `${JSON.stringify(events)} is not ${JSON.stringify(expected)}`,
        );
      }
      for (const event of expected) {
        if (event === "garbage") counts.garbage++;
        else if (event === "tooLarge") counts.tooLarge++;
        else counts.objects++;
      }
    }
    // The mix is a test only while all three occur often.
    expect(Math.min(counts.objects, counts.garbage, counts.tooLarge)).toBeGreaterThan(1000);
  });

  test("reads that wait, taken at random moments, give the same events as one read", () => {
    const random = seededRandom(seed + 1);
    for (let round = 0; round < 1000; round++) {
      const bytes = Buffer.concat(Array.from({ length: 1 + random.integer(10) }, () => randomPiece(random)));
      const decoder = new FrameDecoder(1000);
      const events: FrameEvent[] = [];
      for (const chunk of randomCuts(random, bytes)) {
        decoder.push(chunk, 0);
        for (let takes = random.integer(3); takes > 0; takes--) {
          const event = decoder.next();
          if (event !== undefined) events.push(event);
        }
      }
      events.push(...drain(decoder));
      const expected = decode([bytes], 1000);
      if (!Bun.deepEquals(events, expected)) {
        throw new Error(
          `PALOMA_TEST_SEED=${seed} round ${round}: ${JSON.stringify(bytes.toString("latin1"))}`,
        );
      }
    }
  });
});

describe("work", () => {
  /** Counts the parses: repeated tries would multiply them. */
  function countParses(run: () => void): number {
    const original = JSON.parse;
    let count = 0;
    JSON.parse = (...parameters: Parameters<typeof JSON.parse>) => {
      count++;
      return original(...parameters);
    };
    try {
      run();
    } finally {
      JSON.parse = original;
    }
    return count;
  }

  test("a line of many objects is tried whole once, then each object is parsed once", () => {
    const line = bytesOf(`${"{}".repeat(10_000)}\n`);
    expect(countParses(() => expect(decode([line])).toHaveLength(10_000))).toBe(10_001);
    expect(countParses(() => decode(singleBytes(line)))).toBe(10_000);
  });

  test("lines that are no objects cost one try in a window, however many they are", () => {
    const lines = bytesOf('{"ñ":1}}\n{"b":1,}\n'.repeat(10_000));
    expect(countParses(() => expect(decode([lines])).toHaveLength(30_000))).toBeLessThan(20_010);
  });

  test("a line that arrives byte by byte, and a pretty-printed object, are parsed once", () => {
    const text = JSON.stringify({ a: Array.from({ length: 1000 }, (_, n) => ({ n })) });
    expect(countParses(() => decode(singleBytes(bytesOf(`${text}\n`))))).toBe(1);
    const pretty = JSON.stringify(JSON.parse(text), null, 1);
    expect(countParses(() => decode([bytesOf(`${pretty}\n`)]))).toBe(1);
  });
});
