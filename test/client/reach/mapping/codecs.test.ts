/** What a gateway has sent: recorded from miniupnpd 2.3.1. */
import { describe, expect, test } from "bun:test";

import { ipv4Gateway, ipv6Gateway } from "../../../../src/client/rendezvous/gateways.ts";
import {
  addRequest,
  deleteRequest,
  readError,
  readLocation,
  readOuterAddress,
  readService,
  SEARCH,
} from "../../../../src/client/reach/mapping/igd.ts";
import {
  ADDRESS_REQUEST,
  readAddress,
  readMapTcp,
  writeMapTcp,
} from "../../../../src/client/reach/mapping/nat-pmp.ts";
import { readMapAnswer, writeMap } from "../../../../src/client/reach/mapping/pcp.ts";

const hex = (text: string) => Buffer.from(text, "hex");
const NONCE = hex("00112233445566778899aabb");

describe("PCP", () => {
  const ours = { nonce: NONCE, port: 9_000 };
  const granted =
    "0281000000000e100000000100000000000000000000000000112233445566778899aabb060000002328232800000000000000000000ffff5001000b";
  const pinhole =
    "0281000000000e100000000400000000000000000000000000112233445566778899aabb06000000232823282a000001000700000000000000000010";

  test("asks for a TCP port of this machine, and with lifetime 0 gives it back", () => {
    expect(writeMap({ ...ours, client: "192.168.1.10", lifetime: 3_600 }).toString("hex")).toBe(
      "0201000000000e1000000000000000000000ffffc0a8010a00112233445566778899aabb060000002328232800000000000000000000ffff00000000",
    );
    expect(writeMap({ ...ours, client: "192.168.1.10", lifetime: 0 }).toString("hex")).toBe(
      "020100000000000000000000000000000000ffffc0a8010a00112233445566778899aabb060000002328000000000000000000000000ffff00000000",
    );
    expect(writeMap({ ...ours, client: "2a00:1:7::10", lifetime: 3_600 }).toString("hex")).toBe(
      "0201000000000e102a00000100070000000000000000001000112233445566778899aabb060000002328232800000000000000000000000000000000",
    );
  });

  test("reads a port that is open, and a pinhole of IPv6", () => {
    expect(readMapAnswer(hex(granted), ours)).toEqual({
      ok: true,
      ip: "80.1.0.11",
      port: 9_000,
      lifetime: 3_600,
    });
    expect(readMapAnswer(hex(pinhole), ours)).toMatchObject({ ip: "2a00:1:7::10", port: 9_000 });
  });

  test.each([
    ["0281000200000000", "not_authorized"],
    ["0281000800000000", "no_resources"],
    ["028100ff00000000", "result_255"],
  ])("a refusal %s is %s", (head, code) => {
    expect(readMapAnswer(hex(head.padEnd(48, "0")), ours)).toEqual({ ok: false, code });
  });

  test("a gateway of NAT-PMP alone says its version", () => {
    expect(readMapAnswer(hex("0081000100000250"), ours)).toEqual({ ok: false, code: "unsupported_version" });
  });

  test.each([
    ["empty", ""],
    ["our own request", `0201${granted.slice(4)}`],
    ["cut", granted.slice(0, 100)],
    ["with another nonce", granted.replace("00112233", "00112234")],
    ["of another port", granted.replace("0600000023282328", "0600000023292328")],
    ["of UDP", granted.replace("0600000023282328", "1100000023282328")],
  ])("what is %s is no answer", (_name, text) => {
    expect(readMapAnswer(hex(text), ours)).toBeUndefined();
  });
});

describe("NAT-PMP", () => {
  test("asks for the outer address and a TCP port", () => {
    expect(ADDRESS_REQUEST.toString("hex")).toBe("0000");
    expect(writeMapTcp(9_000, 3_600).toString("hex")).toBe("000200002328232800000e10");
    expect(writeMapTcp(9_000, 0).toString("hex")).toBe("000200002328000000000000");
  });

  test("reads them", () => {
    expect(readAddress(hex("00800000000000025001000b"))).toEqual({ ok: true, ip: "80.1.0.11" });
    const mapped = readMapTcp(hex("00820000000000022328232800000e10"), 9_000);
    expect(mapped).toEqual({ ok: true, port: 9_000, lifetime: 3_600 });
  });

  test("a refusal, another port, something cut and our own request are no port", () => {
    expect(readMapTcp(hex("00820002000000022328232800000e10"), 9_000)).toEqual({
      ok: false,
      code: "not_authorized",
    });
    expect(readMapTcp(hex("00820000000000022328232800000e10"), 9_001)).toBeUndefined();
    expect(readMapTcp(hex("0082000000000002232823280000"), 9_000)).toBeUndefined();
    expect(readMapTcp(hex("000200002328232800000e10"), 9_000)).toBeUndefined();
    expect(readAddress(hex("0080000000000002"))).toBeUndefined();
  });
});

describe("UPnP", () => {
  const GATEWAY = "192.168.1.1";
  const found = (location: string) =>
    Buffer.from(
      "HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n" +
        `EXT:\r\nSERVER: Debian/6.18 UPnP/1.1 MiniUPnPd/2.3.1\r\nLOCATION: ${location}\r\nBOOTID.UPNP.ORG: 1\r\n\r\n`,
    );
  const LOCATION = new URL("http://192.168.1.1:42263/rootDesc.xml");
  const described = (control: string, base = "") =>
    `<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0">${base}<device><serviceList><service>` +
    "<serviceType>urn:schemas-upnp-org:service:Layer3Forwarding:1</serviceType><controlURL>/ctl/L3F</controlURL></service>" +
    "</serviceList><deviceList><device><serviceList><service>" +
    "<serviceType>urn:schemas-upnp-org:service:WANIPConnection:2</serviceType><serviceId>urn:upnp-org:serviceId:WANIPConn1" +
    `</serviceId><SCPDURL>/WANIPCn.xml</SCPDURL><controlURL>${control}</controlURL><eventSubURL>/evt/IPConn</eventSubURL>` +
    "</service></serviceList></device></deviceList></device></root>";
  const read = (description: string) => readService(description, LOCATION, GATEWAY)?.url.href;

  test("the search is as SSDP wants it", () => {
    expect(SEARCH.toString()).toMatch(/^M-SEARCH \* HTTP\/1\.1\r\n[\s\S]*\r\n\r\n$/);
  });

  test("the gateway's answer says where its description is", () => {
    expect(readLocation(found(LOCATION.href), GATEWAY)?.href).toBe(LOCATION.href);
  });

  test.each([
    "http://203.0.113.5/rootDesc.xml",
    "http://192.168.1.10:80/",
    "http://router.example/rootDesc.xml",
    "http://192.168.1.1@203.0.113.5/",
    "http://user:secret@192.168.1.1/",
    "https://192.168.1.1/",
    "file:///etc/passwd",
    "/rootDesc.xml",
    `http://192.168.1.1/${"a".repeat(70_000)}`,
  ])("a description at %.40s is not read", (location) => {
    expect(readLocation(found(location), GATEWAY)).toBeUndefined();
  });

  test("of a description the service that opens ports counts, if it is at the gateway", () => {
    expect(readService(described("/ctl/IPConn"), LOCATION, GATEWAY)).toEqual({
      url: new URL("http://192.168.1.1:42263/ctl/IPConn"),
      type: "urn:schemas-upnp-org:service:WANIPConnection:2",
    });
    expect(read(described("ctl", "<URLBase>http://192.168.1.1:99/x/</URLBase>"))).toBe(
      "http://192.168.1.1:99/x/ctl",
    );
    expect(read(described("ctl", "<URLBase>http://203.0.113.5/</URLBase>"))).toBe(
      "http://192.168.1.1:42263/ctl",
    );
    for (const control of ["http://203.0.113.5/ctl", "//203.0.113.5/ctl", "gopher://192.168.1.1/"])
      expect(read(described(control))).toBeUndefined();
    expect(read("<service>".repeat(7_000))).toBeUndefined();
  });

  test("requests name the service, the port and this machine", () => {
    const service = { url: LOCATION, type: "urn:schemas-upnp-org:service:WANIPConnection:2" };
    const added = addRequest(service, {
      outer: 9_001,
      inner: 9_000,
      client: "192.168.1.10",
      lifetime: 3_600,
    });
    expect(added.action).toBe(`"${service.type}#AddPortMapping"`);
    for (const part of [
      "<NewExternalPort>9001<",
      "<NewInternalPort>9000<",
      "<NewInternalClient>192.168.1.10<",
    ])
      expect(added.body).toContain(part);
    expect(deleteRequest(service, 9_001).body).toContain("<NewExternalPort>9001</NewExternalPort>");
  });

  test("of an answer the outer address or the error's code is read", () => {
    const address = (text: string) =>
      `<u:GetExternalIPAddressResponse xmlns:u="x"><NewExternalIPAddress>${text}</NewExternalIPAddress></u:GetExternalIPAddressResponse>`;
    expect(readOuterAddress(address("80.1.0.11"))).toBe("80.1.0.11");
    for (const text of ["", "0.0.0.0", "router.example", "2a00::1"])
      expect(readOuterAddress(address(text))).toBeUndefined();
    const fault =
      '<s:Fault><faultcode>s:Client</faultcode><detail><UPnPError xmlns="urn:schemas-upnp-org:control-1-0">' +
      "<errorCode>718</errorCode><errorDescription>ConflictInMappingEntry</errorDescription></UPnPError></detail></s:Fault>";
    expect([readError(fault), readError("<errorCode>x</errorCode>"), readError("")]).toEqual([
      "upnp_718",
      "bad_answer",
      "bad_answer",
    ]);
  });
});

describe("the default gateways", () => {
  const HEAD = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";
  const LAN = "eth0\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n";

  test("are read from the tables of the system, the best route first", () => {
    const route = (gateway: string, metric: number, flags = "0003", name = "eth0") =>
      `${name}\t00000000\t${gateway}\t${flags}\t0\t0\t${metric}\t00000000\t0\t0\t0\n`;
    expect(ipv4Gateway(HEAD + route("0101A8C0", 100) + route("0102A8C0", 600) + LAN)).toBe("192.168.1.1");
    expect(ipv4Gateway(HEAD + route("0101A8C0", 700) + route("0102A8C0", 600) + LAN)).toBe("192.168.2.1");
    // A VPN has taken the default route: what the router opens would not lead to it.
    expect(
      ipv4Gateway(HEAD + route("0101A8C0", 100) + route("00000000", 50, "0001", "tun0")),
    ).toBeUndefined();
    expect(ipv4Gateway(HEAD + LAN)).toBeUndefined();
    expect(ipv4Gateway("")).toBeUndefined();
  });

  test("of IPv6 have a zone", () => {
    const zeros = "0".repeat(32);
    const table = (gateway: string) =>
      `2a000001000700000000000000000000 40 ${zeros} 00 ${zeros} 00000100 00000001 00000000 00000001     eth0
${zeros} 00 ${zeros} 00 ${gateway} 00000400 00000001 00000000 00000003     eth0
${zeros} 00 ${zeros} 00 ${zeros} ffffffff 00000001 00000000 00200200       lo
`;
    expect(ipv6Gateway(table("fe80000000000000e4dbe1fffea56c9d"))).toBe("fe80::e4db:e1ff:fea5:6c9d%eth0");
    expect(ipv6Gateway(table("fd000000000000000000000000000001"))).toBe("fd00::1");
    expect(
      ipv6Gateway(`${zeros} 00 ${zeros} 00 ${zeros} ffffffff 00000001 00000000 00200200 lo\n`),
    ).toBeUndefined();
  });
});
