import { describe, expect, test } from "bun:test";
import { createPublicKey, generateKeyPairSync, sign, verify } from "node:crypto";
import { generateKeyPair, keyPairFromPem, parsePublicKey, privateKeyToPem } from "../../src/identity/keys.ts";

const PREFIX = "302a300506032b6570032100";

function spkiBase64(pointHex: string): string {
  return Buffer.from(PREFIX + pointHex, "hex").toString("base64");
}

test("a key pair survives PEM and signs what its public key verifies", () => {
  const pair = generateKeyPair();
  const again = keyPairFromPem(privateKeyToPem(pair.privateKey));
  expect(again.spki).toEqual(pair.spki);
  const publicKey = createPublicKey({ key: pair.spki, format: "der", type: "spki" });
  expect(verify(null, Buffer.from("x"), publicKey, sign(null, Buffer.from("x"), again.privateKey))).toBe(
    true,
  );
  expect(publicKey.asymmetricKeyType).toBe("ed25519");
});

test("a private key of another algorithm, a public key or a damaged text is not taken for a key pair", () => {
  const other = generateKeyPairSync("ec", { namedCurve: "P-256" });
  expect(() => keyPairFromPem(privateKeyToPem(other.privateKey))).toThrow("not an Ed25519 key");
  const pair = generateKeyPair();
  const publicKey = createPublicKey(privateKeyToPem(pair.privateKey));
  expect(() => keyPairFromPem(publicKey.export({ format: "pem", type: "spki" }).toString())).toThrow();
  expect(() => keyPairFromPem(privateKeyToPem(pair.privateKey).slice(0, 60))).toThrow();
  expect(() => keyPairFromPem("")).toThrow();
});

describe("a public key of a request", () => {
  test("is the DER that node:crypto exports", () => {
    for (let i = 0; i < 20; i++) {
      const { spki } = generateKeyPair();
      expect(parsePublicKey(spki.toString("base64"))).toEqual(spki);
    }
  });

  const good = generateKeyPair().spki;
  const base64 = good.toString("base64");
  // 44 bytes leave two bits unused in the last digit; setting one spells the same bytes in another way.
  const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const last = digits.indexOf(base64.charAt(58));
  // A key whose base64 has both digits that base64url spells differently.
  const slashes = spkiBase64("07ffbfef".padEnd(64, "0"));
  const p256 = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({
    format: "der",
    type: "spki",
  });
  const x25519 = generateKeyPairSync("x25519").publicKey.export({ format: "der", type: "spki" });
  const changed = (index: number, value: number): string => {
    const bytes = Buffer.from(good);
    bytes[index] = value;
    return bytes.toString("base64");
  };

  const refused: [string, string][] = [
    ["nothing", ""],
    ["no padding", base64.slice(0, -1)],
    ["too much padding", `${base64}=`],
    ["the last digit in a non-canonical spelling", `${base64.slice(0, 58)}${digits.charAt(last | 1)}=`],
    ["a space before", ` ${base64}`],
    ["a line feed after", `${base64}\n`],
    ["a line feed in place of a digit", `${base64.slice(0, 20)}\n${base64.slice(21)}`],
    ["a character of no base64 in place of a digit", `${base64.slice(0, 20)}*${base64.slice(21)}`],
    ["base64url", slashes.replaceAll("+", "-").replaceAll("/", "_")],
    ["hexadecimal", good.toString("hex")],
    [
      "PEM",
      createPublicKey({ key: good, format: "der", type: "spki" })
        .export({ format: "pem", type: "spki" })
        .toString(),
    ],
    ["the raw 32 bytes", good.subarray(12).toString("base64")],
    ["one byte missing", good.subarray(0, 43).toString("base64")],
    ["one byte after the end", Buffer.concat([good, Buffer.of(0)]).toString("base64")],
    ["a P-256 key", p256.toString("base64")],
    ["a P-256 key cut to the length", p256.subarray(0, 44).toString("base64")],
    ["an X25519 key of the same length", x25519.toString("base64")],
    ["another tag", changed(0, 0x31)],
    ["another length", changed(1, 0x29)],
    ["an unused bit", changed(11, 1)],
    ["44 zeros", Buffer.alloc(44).toString("base64")],
  ];
  test.each(refused)("is refused with %s", (_, input) => {
    expect(parsePublicKey(input)).toBeUndefined();
  });

  test("is taken with the digits + and /, of which the base64url case is the twin", () => {
    expect(slashes).toMatch(/\+|\//);
    expect(parsePublicKey(slashes)).toEqual(Buffer.from(slashes, "base64"));
  });

  test("is refused when its point has a small order, in either sign and in any encoding", () => {
    const points = [
      `00${"00".repeat(31)}`, // order 4
      `01${"00".repeat(31)}`, // order 1
      "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", // order 8
      "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", // order 8
      `ec${"ff".repeat(30)}7f`, // order 2
      `ed${"ff".repeat(30)}7f`, // p, another spelling of 0
      `ee${"ff".repeat(30)}7f`, // p + 1, another spelling of 1
      `ff${"ff".repeat(30)}7f`,
    ];
    for (const point of points) {
      const bytes = Buffer.from(point, "hex");
      expect(parsePublicKey(spkiBase64(point))).toBeUndefined();
      bytes[31] = (bytes[31] ?? 0) | 0x80;
      expect(parsePublicKey(spkiBase64(bytes.toString("hex")))).toBeUndefined();
    }
  });

  test("is taken up to the largest y below the field's prime that is of no small order", () => {
    expect(parsePublicKey(spkiBase64(`eb${"ff".repeat(30)}7f`))).toBeDefined();
    expect(parsePublicKey(spkiBase64(`ff${"ff".repeat(29)}fe7f`))).toBeDefined();
    expect(parsePublicKey(spkiBase64(`ff${"ff".repeat(30)}7e`))).toBeDefined();
  });
});
