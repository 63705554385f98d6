import { describe, expect, test } from "bun:test";
import * as der from "../../src/identity/der.ts";

const { readElements, readOnly } = der;

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const LENGTHS: [number, string][] = [
  [0, "00"],
  [1, "01"],
  [127, "7f"],
  [128, "8180"],
  [255, "81ff"],
  [256, "820100"],
  [65_535, "82ffff"],
  [65_536, "83010000"],
];

describe("the DER writer", () => {
  test.each(LENGTHS)("writes the length %d in its shortest form", (length, octets) => {
    const element = der.octetString(Buffer.alloc(length, 0x55));
    expect(hex(element.subarray(0, element.length - length))).toBe(`04${octets}`);
  });

  test("keeps integers positive and as short as they can be", () => {
    const cases: [number[], string][] = [
      [[], "020100"],
      [[0], "020100"],
      [[0, 0], "020100"],
      [[0x7f], "02017f"],
      [[0x80], "02020080"],
      [[0, 0x80], "02020080"],
      [[0, 0, 1, 0], "02020100"],
      [[0xff, 0xff], "020300ffff"],
    ];
    for (const [bytes, expected] of cases)
      expect(hex(der.unsignedInteger(Uint8Array.from(bytes)))).toBe(expected);
  });

  test("writes object identifiers with arcs of several bytes", () => {
    const cases: [string, string][] = [
      ["2.5.4.3", "0603550403"],
      ["1.3.101.112", "06032b6570"],
      ["1.3.6.1.5.5.7.3.1", "06082b06010505070301"],
      ["1.2.840.113549.1.1.11", "06092a864886f70d01010b"],
      ["2.999.3", "0603883703"],
      ["2.47.127.128", "06047f7f8100"],
      ["2.48.16383.16384", "06078100ff7f818000"],
      ["1.0.4294967296", "0606289080808000"],
    ];
    for (const [dotted, expected] of cases) expect(hex(der.objectIdentifier(dotted))).toBe(expected);
  });

  test("writes times in two digits of the year up to 2049 and in four after", () => {
    const cases: [string, string, string][] = [
      ["2049-12-31T23:59:59.999Z", "17", "491231235959Z"],
      ["2050-01-01T00:00:00.000Z", "18", "20500101000000Z"],
      ["1950-01-01T00:00:00.000Z", "17", "500101000000Z"],
      ["1949-12-31T23:59:59.000Z", "18", "19491231235959Z"],
      ["9999-12-31T23:59:59.000Z", "18", "99991231235959Z"],
    ];
    for (const [iso, tag, text] of cases) {
      const [element] = readElements(der.time(Date.parse(iso)));
      expect(element?.tag).toBe(Number.parseInt(tag, 16));
      expect(element?.content.toString()).toBe(text);
    }
    expect(() => der.time(Date.UTC(10_000, 0, 1))).toThrow(RangeError);
    expect(() => der.time(Number.NaN)).toThrow(RangeError);
  });
});

describe("the DER reader", () => {
  test.each(LENGTHS)("reads what was written with the length %d", (length) => {
    const content = Buffer.alloc(length, 0x55);
    const both = Buffer.concat([der.octetString(content), der.booleanTrue()]);
    const [first, second, ...others] = readElements(both);
    expect(first?.content.equals(content)).toBe(true);
    expect(hex(second?.whole ?? Buffer.alloc(0))).toBe("0101ff");
    expect(others).toEqual([]);
  });

  const refused: [string, string][] = [
    ["a tag alone", "04"],
    ["a content cut short", "040355"],
    ["a length cut short", "0482"],
    ["a length cut short in its octets", "048201"],
    ["a content cut short after a long length", `0481ff${"00".repeat(254)}`],
    ["an indefinite length", "30800000"],
    ["a long form for a short length", "04810155"],
    ["a length with a leading zero", `04820080${"00".repeat(128)}`],
    ["a length of four octets", "0484ffffffff"],
    ["a length of 127 octets", "04ff"],
    ["a tag of several bytes", "1f810100"],
    ["a second element that is cut short", "0400040155040255"],
  ];
  test.each(refused)("refuses %s", (_, bytes) => {
    expect(() => readElements(Buffer.from(bytes, "hex"))).toThrow("DER");
  });

  test("refuses another tag, nothing, or a second element where one is expected", () => {
    expect(hex(readOnly(Buffer.from("040155", "hex"), 0x04).content)).toBe("55");
    for (const bytes of ["300155", "", "040155040155"]) {
      expect(() => readOnly(Buffer.from(bytes, "hex"), 0x04)).toThrow("DER");
    }
  });

  test("ends, with elements or an error, on every cut and every changed byte of an element", () => {
    const whole = der.sequence(der.octetString(Buffer.alloc(200)), der.sequence(der.utf8String("ñandú")));
    const inputs = Array.from(whole.keys()).flatMap((index) => {
      const changed = Array.from({ length: 256 }, (_, value) =>
        Buffer.from(whole).fill(value, index, index + 1),
      );
      return [whole.subarray(0, index), ...changed];
    });
    for (const input of inputs) {
      let read = 0;
      try {
        for (const element of readElements(input)) read += element.whole.length;
      } catch (error) {
        if (!(error instanceof Error) || !error.message.startsWith("DER")) throw error;
        continue;
      }
      if (read !== input.length) throw new Error(`read ${read} bytes of ${hex(input)}`);
    }
  });
});
