import { describe, expect, test } from "bun:test";

import { mostColumns } from "../../../src/ui/format/column-width.ts";
import {
  fileName,
  fileSentence,
  leftOutSentence,
  percentOf,
  progressBar,
  progressRow,
  rateText,
  reasonSentence,
  sizeText,
  timeLeft,
  type ShownFile,
} from "../../../src/ui/format/file-words.ts";
import { textsIn } from "../../../src/ui/texts/texts.ts";

const [es, en] = [textsIn("es"), textsIn("en")];
const MIB = 1_048_576;
const GIB = 1_024 * MIB;

function file(change: Partial<ShownFile> = {}): ShownFile {
  return {
    direction: "in",
    name: "informe.pdf",
    size: 1.4 * GIB,
    entries: null,
    done: 0.6 * GIB,
    rate: 12 * MIB,
    state: "running",
    reason: null,
    path: null,
    sha256: null,
    ...change,
  };
}

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1_000, "1,0 KiB"],
  [10_188, "9,9 KiB"],
  [10_189, "10 KiB"],
  [999 * 1_024, "999 KiB"],
  [MIB - 1, "1,0 MiB"],
  [1.4 * GIB, "1,4 GiB"],
  [5 * 1_024 * GIB, "5,0 TiB"],
  [Number.MAX_SAFE_INTEGER, "8,0 PiB"],
])("%d bytes are %s", (bytes, shown) => {
  expect(sizeText(bytes, es)).toBe(shown);
  expect(sizeText(bytes, en)).toBe(shown.replace(",", "."));
});

test("a rate, the percent and the time that is left", () => {
  expect(rateText(12 * MIB, es)).toBe("12 MiB/s");
  expect(percentOf(file({ done: 43, size: 100 }))).toBe(43);
  // Nothing is finished before its last byte.
  expect(percentOf(file({ done: GIB - 1, size: GIB }))).toBe(99);
  expect(percentOf(file({ done: 0, size: 0 }))).toBe(100);
  expect(percentOf(file({ size: null }))).toBeUndefined();
  expect(timeLeft(file({ done: 0, size: 120 * MIB, rate: MIB }))).toBe("2 min");
  expect(timeLeft(file({ done: 99, size: 100 }))).toBe("1 s");
  expect(timeLeft(file({ done: 100, size: 100 }))).toBeUndefined();
  expect(timeLeft(file({ rate: 0 }))).toBeUndefined();
  expect(timeLeft(file({ rate: null }))).toBeUndefined();
  expect(timeLeft(file({ size: null }))).toBeUndefined();
});

describe("a name", () => {
  test("cannot leave its quotation marks or the row", () => {
    expect(fileName("a» es de «ana\u202efdp\n.exe")).toBe("a' es de 'anafdp␊.exe");
  });

  test("that is long keeps its beginning and its end", () => {
    const shown = fileName(`informe${" ".repeat(200)}.pdf.exe`);
    expect(shown).toStartWith("informe   ");
    expect(shown).toEndWith("   .pdf.exe");
    expect(shown).toContain("…");
    expect(mostColumns(fileName("漢".repeat(100)))).toBeLessThanOrEqual(60);
  });
});

test("a sentence for every state, in both languages", () => {
  const states = [
    "offered",
    "accepted",
    "running",
    "paused",
    "done",
    "declined",
    "cancelled",
    "failed",
  ] as const;
  const said = (["out", "in"] as const).flatMap((direction) =>
    states.flatMap((state) =>
      [es, en].map((texts) =>
        fileSentence(
          file({
            direction,
            state,
            done: state === "accepted" ? 0 : 0.6 * GIB,
            path: "/media/eva/informe.pdf",
          }),
          "ana",
          texts,
        ),
      ),
    ),
  );
  expect(`\n${said.join("\n")}\n`).toMatchInlineSnapshot(`
    "
    Se ofrece «informe.pdf» (1,4 GiB) a ana; espera su respuesta.
    “informe.pdf” (1.4 GiB) is offered to ana; it waits for their answer.
    ana acepta «informe.pdf» (1,4 GiB); empezará en cuanto haya conexión.
    ana accepts “informe.pdf” (1.4 GiB); it begins as soon as there is a connection.
    Enviando a ana «informe.pdf»: 42 % de 1,4 GiB, 12 MiB/s, falta 1 min.
    Sending “informe.pdf” to ana: 42 % of 1.4 GiB, 12 MiB/s, 1 min left.
    En pausa el envío de «informe.pdf» a ana (42 % de 1,4 GiB). Ahora no hay conexión para ello; se reanudará en cuanto la haya.
    Sending “informe.pdf” to ana is paused (42 % of 1.4 GiB). There is no connection for it now; it resumes as soon as there is one.
    ana ha recibido «informe.pdf» (1,4 GiB).
    ana has received “informe.pdf” (1.4 GiB).
    ana no acepta «informe.pdf» (1,4 GiB).
    ana does not accept “informe.pdf” (1.4 GiB).
    Se ha detenido el envío de «informe.pdf» (1,4 GiB) a ana.
    Sending “informe.pdf” (1.4 GiB) to ana was stopped.
    No se ha podido enviar «informe.pdf» (1,4 GiB) a ana.
    “informe.pdf” (1.4 GiB) could not be sent to ana.
    ana le ofrece «informe.pdf» (1,4 GiB).
    ana offers you “informe.pdf” (1.4 GiB).
    Aceptado «informe.pdf» (1,4 GiB), de ana; empezará en cuanto haya conexión.
    “informe.pdf” (1.4 GiB) from ana is accepted; it begins as soon as there is a connection.
    Recibiendo de ana «informe.pdf»: 42 % de 1,4 GiB, 12 MiB/s, falta 1 min.
    Receiving “informe.pdf” from ana: 42 % of 1.4 GiB, 12 MiB/s, 1 min left.
    En pausa la recepción de «informe.pdf» de ana (42 % de 1,4 GiB). Ahora no hay conexión para ello; se reanudará en cuanto la haya.
    Receiving “informe.pdf” from ana is paused (42 % of 1.4 GiB). There is no connection for it now; it resumes as soon as there is one.
    Recibido «informe.pdf» (1,4 GiB) de ana: está en «/media/eva/informe.pdf».
    Received “informe.pdf” (1.4 GiB) from ana: it is in “/media/eva/informe.pdf”.
    Rechazado «informe.pdf» (1,4 GiB), de ana.
    “informe.pdf” (1.4 GiB) from ana was declined.
    Se ha detenido la recepción de «informe.pdf» (1,4 GiB) de ana.
    Receiving “informe.pdf” (1.4 GiB) from ana was stopped.
    No se ha podido recibir «informe.pdf» (1,4 GiB) de ana.
    “informe.pdf” (1.4 GiB) could not be received from ana.
    "
  `);
});

test("a folder, a pipe, and a digest to compare", () => {
  const folder = file({ name: "fotos", entries: 312, state: "offered" });
  expect(fileSentence(folder, "ana", es)).toBe("ana le ofrece «fotos» (carpeta, 312 elementos, 1,4 GiB).");
  expect(fileSentence({ ...folder, entries: 1 }, "ana", en)).toContain("(folder, 1 item, 1.4 GiB)");
  const pipe = file({ name: "copia.tar", size: null, done: 5 * MIB });
  expect(fileSentence(pipe, "ana", en)).toBe("Receiving “copia.tar” from ana: 5.0 MiB, 12 MiB/s.");
  expect(fileSentence({ ...pipe, state: "offered" }, "ana", en)).toContain("(unknown size)");
  const done = file({ direction: "out", state: "done", sha256: "ab".repeat(32) });
  expect(fileSentence(done, "ana", en)).toEndWith(` Its SHA-256: ${"ab".repeat(32)}`);
});

test("what of a folder is left out is counted, and the first of it named", () => {
  expect(leftOutSentence("fotos", { count: 1, paths: ["a/enlace"] }, es)).toBe(
    "De «fotos» no se envía lo que es un enlace o un archivo especial: «a/enlace».",
  );
  const many = { count: 7, paths: ["a", "b", "c", "d", "e»", "f"] };
  expect(leftOutSentence("fotos", many, en)).toBe(
    "Links and special files in “fotos” are not sent: “a”, “b”, “c”, “d”, “e'”, and 2 more.",
  );
});

test("a sentence for every reason, from both sides and in both languages", () => {
  const codes = [
    ...[
      "no_link",
      "no_space",
      "unwritable",
      "stopped",
      "changed",
      "gone",
      "too_large",
      "damaged",
      "bad_listing",
    ],
    ...[
      "not_supported",
      "key_changed",
      "lost",
      "no_such_file",
      "not_readable",
      "not_a_file",
      "too_many_entries",
    ],
    ...["no_such_transfer", "too_many_offers", "not_possible", "a_new» one"],
  ];
  const said = codes.map((code) =>
    [es, en]
      .flatMap((texts) => {
        const [out, back] = (["out", "in"] as const).map((side) =>
          reasonSentence(code, { direction: side, state: "paused" }, "ana", texts),
        );
        return out === back ? [out] : [out, back];
      })
      .join(" | "),
  );
  expect(`\n${said.join("\n")}\n`).toMatchInlineSnapshot(`
    "
    Ahora no hay conexión para ello; se reanudará en cuanto la haya. | There is no connection for it now; it resumes as soon as there is one.
    El disco de ana está lleno; se reanudará en cuanto haya sitio. | No queda sitio en este disco; se reanudará en cuanto lo haya. | ana's disk is full; it resumes as soon as there is room. | This disk is full; it resumes as soon as there is room.
    ana no puede guardarlo en su disco. | No se puede escribir en la carpeta de destino. | ana's machine cannot save it. | The target folder cannot be written to.
    Lo ha detenido ana. | ana stopped it.
    Ha cambiado en este disco desde que se ofreció; ofrézcalo otra vez. | Ha cambiado en el disco de ana desde que se ofreció. | It has changed on this disk since it was offered; offer it again. | It has changed on ana's disk since it was offered.
    Ya no está en este disco. | Ya no está en el disco de ana. | It is no longer on this disk. | It is no longer on ana's disk.
    Es más grande de lo que acepta ana. | Es más grande de lo que se acepta aquí. | It is larger than what ana accepts. | It is larger than what is accepted here.
    Lo recibido no es igual que lo enviado. | What was received is not what was sent.
    La lista de lo que hay en la carpeta no es válida. | The list of what is in the folder is not valid.
    El programa de ana no admite archivos. | ana's program does not take files.
    La clave de ana ha cambiado desde que se ofreció. | ana's key has changed since it was offered.
    Se ha cortado, y lo que viene de otro programa no se puede enviar dos veces. | It was cut off, and what comes from another program cannot be sent twice.
    No existe. | It does not exist.
    No se puede leer. | It cannot be read.
    No es un archivo ni una carpeta. | It is neither a file nor a folder.
    La carpeta tiene más de 100 000 elementos. | The folder has more than 100,000 items.
    No hay ningún envío así. | There is no such transfer.
    ana tiene ya demasiados envíos suyos sin terminar. | ana tiene ya demasiados envíos sin terminar aquí. | Too many of your transfers to ana are unfinished already. | Too many transfers from ana are unfinished here already.
    Eso ya no es posible con este envío. | That is no longer possible with this transfer.
    Motivo: «a_new' one». | Reason: “a_new' one”.
    "
  `);
});

test("what has begun and goes on later is paused, and what is complete is to be confirmed", () => {
  const paused = file({ state: "paused", reason: "no_space" });
  expect(fileSentence(paused, "ana", en)).toBe(
    "Receiving “informe.pdf” from ana is paused (42 % of 1.4 GiB). This disk is full; it resumes as soon as there is room.",
  );
  // What is read once does not go on.
  const ended = file({ state: "failed", reason: "no_space" });
  expect(fileSentence(ended, "ana", en)).toEndWith(" It does not fit on this disk.");
  expect(fileSentence({ ...ended, direction: "out" }, "ana", es)).toEndWith(" No cabe en el disco de ana.");
  const cut = file({ state: "accepted" });
  expect(fileSentence(cut, "ana", en)).toBe(
    "Receiving “informe.pdf” from ana is paused (42 % of 1.4 GiB). There is no connection for it now; it resumes as soon as there is one.",
  );
  const complete = file({ state: "accepted", direction: "out", done: 1.4 * GIB });
  expect(fileSentence(complete, "ana", en)).toBe(
    "All of “informe.pdf” (1.4 GiB) was sent; ana has yet to confirm it.",
  );
  const empty = file({ state: "accepted", size: 0, done: 0 });
  expect(fileSentence(empty, "ana", en)).toBe(
    "All of “informe.pdf” (0 B) from ana has arrived; it is yet to be checked.",
  );
});

test("what the other side has stopped says so", () => {
  const stopped = file({ state: "cancelled", reason: "stopped" });
  expect(fileSentence(stopped, "ana", es)).toBe("ana ha detenido el envío de «informe.pdf» (1,4 GiB).");
});

test("a refusal needs no reason, unless it is another one", () => {
  const declined = file({ direction: "out", state: "declined", reason: "declined" });
  expect(fileSentence(declined, "ana", en)).toBe("ana does not accept “informe.pdf” (1.4 GiB).");
  expect(fileSentence({ ...declined, reason: "too_large" }, "ana", en)).toEndWith(
    "larger than what ana accepts.",
  );
});

test("a bar is full at the end, and not before", () => {
  expect(progressBar(0, 12)).toBe("[          ]");
  expect(progressBar(0.05, 12)).toBe("[          ]");
  expect(progressBar(0.1, 12)).toBe("[>         ]");
  expect(progressBar(0.5, 12)).toBe("[====>     ]");
  expect(progressBar(0.99, 12)).toBe("[========> ]");
  expect(progressBar(1, 12)).toBe("[==========]");
});

describe("a row of progress", () => {
  const rows = [120, 80, 60, 40, 30, 20, 10].map((columns) =>
    progressRow("informe.pdf", file(), columns, es),
  );

  test("says less where there is less room", () => {
    expect(`\n${rows.join("|\n")}|\n`).toMatchInlineSnapshot(`
      "
      informe.pdf                          [=============>                   ]   42 %    614 MiB / 1,4 GiB    12 MiB/s   1 min|
      informe.pdf      [====>        ]   42 %    614 MiB / 1,4 GiB    12 MiB/s   1 min|
      informe.pdf      [=====>        ]   42 %    12 MiB/s   1 min|
      informe.pdf     42 %    12 MiB/s   1 min|
      informe.pdf       42 %   1 min|
      informe.pdf     42 %|
      42 %|
      "
    `);
  });

  test("never passes its width, and is as wide whatever its values", () => {
    const files = [
      file({ done: 0, rate: null }),
      file({ done: 1.4 * GIB, rate: 999 * MIB }),
      file({ size: null, rate: 1 }),
      file({ size: 0, done: 0 }),
      file({ size: 2 ** 53, done: 0, rate: 1 }),
    ];
    for (let columns = 1; columns <= 130; columns++)
      for (const each of files)
        for (const label of ["a", "informe-de-la-reunión-del-comité-de-marzo.pdf", "漢字".repeat(20)]) {
          const row = progressRow(label, each, columns, en);
          expect(mostColumns(row)).toBeLessThanOrEqual(columns);
        }
    const widths = new Set(files.slice(0, 2).map((each) => progressRow("a", each, 80, en).length));
    expect([...widths]).toEqual([80]);
  });
});
