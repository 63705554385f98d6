import { describe, expect, test } from "bun:test";

import { acceptorContext, diallerContext, unverifiedContext } from "../../src/net/tls.ts";

const IDENTITY = { key: "KEY", certificate: "CERTIFICATE" };
const TLS_1_3 = 0x0304;

describe("TLS contexts", () => {
  test("no context goes below TLS 1.3", () => {
    for (const context of [
      acceptorContext(IDENTITY),
      acceptorContext(IDENTITY, "AUTHORITY"),
      diallerContext({}),
      unverifiedContext("example.org"),
    ]) {
      expect(context.minVersion).toBe(TLS_1_3);
    }
  });

  test("verification is written out, and off only for the look", () => {
    expect(acceptorContext(IDENTITY).rejectUnauthorized).toBe(true);
    expect(acceptorContext(IDENTITY, "AUTHORITY").rejectUnauthorized).toBe(true);
    expect(diallerContext({}).rejectUnauthorized).toBe(true);
    expect(unverifiedContext(undefined).rejectUnauthorized).toBe(false);
  });

  test("the accepting role hands out no tickets, and asks for a certificate where there is an authority", () => {
    expect(acceptorContext(IDENTITY).secureOptions).toBe(0x4000);
    expect(acceptorContext(IDENTITY).requestCert).toBe(false);
    expect(acceptorContext(IDENTITY, "AUTHORITY")).toMatchObject({
      secureOptions: 0x4000,
      requestCert: true,
      ca: "AUTHORITY",
    });
  });

  test("the dialling role shows its certificate and expects this name of this authority", () => {
    expect(diallerContext({ serverName: "label", authority: "AUTHORITY", identity: IDENTITY })).toMatchObject(
      {
        key: "KEY",
        cert: "CERTIFICATE",
        ca: "AUTHORITY",
        serverName: "label",
      },
    );
    expect(diallerContext({})).not.toHaveProperty("serverName");
    expect(diallerContext({})).not.toHaveProperty("ca");
  });
});
