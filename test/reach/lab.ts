/**
 * Two machines and a server, each with a network of its own, behind routers of different kinds. Only in a namespace of
 * users, mounts and networks (`in-lab.ts`): all of it ends with the process.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * `open`: a public address. `fw`: with a firewall that admits answers only. `cone`: behind a NAT whose outer port is the
 * same for all destinations. `rst`: behind such a one that refuses what it does not admit. `dbl`: behind two. `sym`:
 * behind one with another port for each destination. `sym6`: with a firewalled public IPv6 address besides. `upnp`:
 * behind a cone that opens ports to whom it serves.
 */
export type Kind = "open" | "fw" | "cone" | "rst" | "dbl" | "sym" | "sym6" | "upnp";
export type Machine = "a" | "b" | "s";
export const SERVER = "80.1.0.1";
export const SERVER_6 = "2a00:1::1";

function run(command: string, input = ""): void {
  const done = Bun.spawnSync(["bash", "-ec", command], { stdin: Buffer.from(input) });
  if (!done.success) throw new Error(`${command}\n${done.stderr.toString()}`);
}

/** Only answers come in, and what goes to a port that was opened. @param nat undefined: the machine's own firewall */
function firewall(nat: Kind | undefined): string {
  const admitted = [
    `iifname "wan" meta l4proto icmpv6 accept`,
    `iifname "wan" ct state established,related accept`,
    `iifname "wan" ct status dnat accept`,
  ].join("\n");
  const options = nat?.startsWith("sym") === true ? "random,fully-random" : "";
  const masquerade = `table inet nat {\nchain out {\ntype nat hook postrouting priority 100\n
    oifname "wan" meta nfproto ipv4 masquerade ${options}\n}\n}\n`;
  const rest = `iifname "wan" drop`;
  return `${nat === undefined ? "" : masquerade}table inet firewall {
    chain inwards {\ntype filter hook input priority 0\n${admitted}\n${nat === "rst" ? "" : rest}\n}
    chain through {\ntype filter hook forward priority 0\n${admitted}\n${rest}\n}\n}`;
}

/** Where `miniupnpd` keeps the ports that it has opened. */
const OPENED_PORTS = `table inet filter {
  chain miniupnpd {\n}
  chain prerouting_miniupnpd {\n}
  chain postrouting_miniupnpd {\n}
  chain forward {\ntype filter hook forward priority -5\njump miniupnpd\n}
  chain prerouting {\ntype nat hook prerouting priority -101\njump prerouting_miniupnpd\n}
  chain postrouting {\ntype nat hook postrouting priority 99\njump postrouting_miniupnpd\n}\n}`;

function upnpConfig(network: string): string {
  return `ext_ifname=wan
listening_ip=lan
enable_natpmp=yes
enable_upnp=yes
secure_mode=yes
uuid=5a0fe7a2-7d09-4a2b-9f6d-000000000001
upnp_table_name=filter
upnp_nat_table_name=filter
allow 1024-65535 ${network}.0/24 1024-65535
deny 0-65535 0.0.0.0/0 0-65535
`;
}

/** How far the networks are from each other. */
export type Distances = {
  /** Of each network to the middle of the internet, in ms. */
  readonly delays: { readonly a: number; readonly b: number; readonly s: number };
  /** The share of packets that are lost. */
  readonly loss: number;
};

export class Lab {
  readonly #prefix = `lab${process.pid}`;
  readonly #distances: Distances | undefined;
  readonly #namespaces: string[] = [];
  /** The namespaces with an interface to the internet. */
  readonly #ends: string[] = [];

  /**
   * A pair of kinds; or both behind one NAT, which lets them speak to each other or (`isolated`) not.
   * @param distances undefined: there are none. They need Python
   */
  static of(pair: readonly [Kind, Kind] | "same" | "isolated", distances?: Distances): Lab {
    const lab = new Lab(distances);
    if (typeof pair === "string") lab.#behindOne(pair === "isolated");
    else {
      lab.#side("a", 1, pair[0]);
      lab.#side("b", 2, pair[1]);
    }
    if (distances !== undefined) lab.#layWire(distances);
    lab.#awaitInterfaces();
    return lab;
  }

  private constructor(distances: Distances | undefined) {
    this.#distances = distances;
    if (distances === undefined) {
      this.#namespace("internet");
      const internet = this.#name("internet");
      run(`ip -n ${internet} link add br0 type bridge; ip -n ${internet} link set br0 up`);
    }
    this.#namespace("s");
    this.#toInternet("s", `${SERVER}/24`, `${SERVER_6}/64`);
  }

  /** What begins a command line that runs on this machine. */
  on(machine: Machine): string[] {
    return ["ip", "netns", "exec", this.#name(machine)];
  }

  /** What was isolated behind one NAT is so no more, and each machine has a further address, which it notices. */
  unite(): void {
    for (const [number, side] of ["a", "b"].entries()) {
      run(`ip netns exec ${this.#name("n")} bridge link set dev v${side} isolated off
        ip -n ${this.#name(side)} addr add 192.168.1.2${number}/24 dev eth0`);
    }
  }

  /** Nothing leads out of the network that both are in any more. @param family of the addresses that they keep */
  cutOff(family: 4 | 6): void {
    for (const side of ["a", "b"]) {
      const name = this.#name(side);
      run(`ip -n ${name} route del default; ip -n ${name} -6 addr show dev eth0 scope link | grep -q fe80`);
      if (family === 6) run(`ip -n ${name} -4 addr flush dev eth0`);
      else run(`ip -n ${name} -6 addr flush dev eth0`);
    }
  }

  /** What a is in goes, and another network comes behind another NAT: as from Wi-Fi to a telephone. */
  changeNetwork(): void {
    this.#namespace("t");
    this.#toInternet("t", "80.1.0.21/24", "2a00:1::21/64");
    this.#rules("t", "cone");
    run(`ip -n ${this.#name("a")} link set eth0 down`);
    this.#behind("a", "t", "192.168.3", "tel0");
  }

  /** The router of b gets another outer address: nothing tells b, and what was open before is dead. */
  renumber(): void {
    const router = this.#name("nb");
    run(`ip -n ${router} addr del 80.1.0.12/24 dev wan; ip -n ${router} addr add 80.1.0.22/24 dev wan`);
  }

  /** An interface of a VPN comes or goes on b, through which nothing of ours leads. */
  setVpn(isUp: boolean): void {
    const name = this.#name("b");
    run(
      isUp
        ? `ip -n ${name} link add vpn0 type veth peer name vpn1; ip -n ${name} addr add 10.8.0.2/24 dev vpn0
           ip -n ${name} link set vpn1 up; ip -n ${name} link set vpn0 up`
        : `ip -n ${name} link del vpn0`,
    );
  }

  #name(machine: string): string {
    return `${this.#prefix}-${machine}`;
  }

  #namespace(machine: string): void {
    const name = this.#name(machine);
    this.#namespaces.push(name);
    run(`ip netns add ${name}; ip -n ${name} link set lo up
      ip netns exec ${name} sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
        net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0`);
  }

  #toInternet(machine: string, address: string, address6: string): void {
    const [name, internet, port] = [this.#name(machine), this.#name("internet"), `p${this.#ends.length}`];
    this.#ends.push(machine);
    const connect = `ip -n ${internet} link add ${port} type veth peer name wan netns ${name}
      ip -n ${internet} link set ${port} master br0 up`;
    run(`${this.#distances === undefined ? connect : `ip -n ${name} tuntap add dev wan mode tap`}
      ip -n ${name} addr add ${address} dev wan; ip -n ${name} -6 addr add ${address6} dev wan nodad
      ip -n ${name} link set wan up`);
  }

  #layWire({ delays, loss }: Distances): void {
    const places = this.#ends.map((end) => `${this.#name(end)}=${delays[end.at(-1) as Machine]}`);
    const wire = join(import.meta.dir, "wire.py");
    Bun.spawn(["python3", wire, String(loss), ...places], { stderr: "inherit" });
  }

  /** An interface may run only a second after it was set up. Programs then see its address, which would be a change of network. */
  #awaitInterfaces(): void {
    run(`for name in ${this.#namespaces.join(" ")}
      do while ip -n $name link show up | grep -q "state .*DOWN"; do sleep 0.05; done; done`);
  }

  #rules(machine: string, nat?: Kind): void {
    run(`ip netns exec ${this.#name(machine)} nft -f -`, firewall(nat));
  }

  #openPorts(nat: string, network: string): void {
    const [name, config] = [this.#name(nat), join("/run", `${nat}.conf`)];
    writeFileSync(config, upnpConfig(network));
    run(`ip netns exec ${name} nft -f -`, OPENED_PORTS);
    run(`ip netns exec ${name} miniupnpd -f ${config} -P /run/${nat}.pid
      until ip netns exec ${name} ss -Hnul | grep -q :5351; do sleep 0.05; done`);
  }

  /** `inner` reaches the world through the NAT `outer`. */
  #behind(inner: string, outer: string, network: string, device = "eth0"): void {
    const [host, nat] = [this.#name(inner), this.#name(outer)];
    // Where both ends have the same number they may run only a second later.
    run(`ip -n ${nat} link add lan index 9 type veth peer name ${device} netns ${host}
      ip -n ${nat} addr add ${network}.1/24 dev lan; ip -n ${nat} link set lan up
      ip -n ${host} addr add ${network}.10/24 dev ${device}; ip -n ${host} link set ${device} up
      ip -n ${host} route add default via ${network}.1`);
  }

  #side(side: "a" | "b", number: number, kind: Kind): void {
    const [address, address6] = [`80.1.0.1${number}`, `2a00:1::1${number}`];
    this.#namespace(side);
    if (kind === "open" || kind === "fw") {
      this.#toInternet(side, `${address}/24`, `${address6}/64`);
      if (kind === "fw") this.#rules(side);
      return;
    }
    const nat = `n${side}`;
    this.#namespace(nat);
    this.#behind(side, nat, `192.168.${number}`);
    if (kind === "dbl") {
      this.#namespace(`c${side}`);
      this.#behind(nat, `c${side}`, "100.64.1", "wan");
      this.#rules(nat, "cone");
    }
    const outermost = kind === "dbl" ? `c${side}` : nat;
    this.#toInternet(outermost, `${address}/24`, `${address6}/64`);
    this.#rules(outermost, kind);
    if (kind === "upnp") this.#openPorts(nat, `192.168.${number}`);
    if (kind !== "sym6") return;
    const [host, router, own] = [this.#name(side), this.#name(nat), `2a00:2:${number}`];
    run(`ip -n ${router} -6 addr add ${own}::1/64 dev lan nodad
      ip -n ${host} -6 addr add ${own}::2/64 dev eth0 nodad; ip -n ${host} -6 route add default via ${own}::1
      ip -n ${this.#name("s")} -6 route add ${own}::/64 via ${address6}
      ip -n ${router} -6 route add default via ${SERVER_6}`);
  }

  #behindOne(isIsolated: boolean): void {
    this.#namespace("n");
    const nat = this.#name("n");
    run(
      `ip -n ${nat} link add lan type bridge; ip -n ${nat} addr add 192.168.1.1/24 dev lan; ip -n ${nat} link set lan up`,
    );
    for (const [number, side] of ["a", "b"].entries()) {
      this.#namespace(side);
      const host = this.#name(side);
      run(`ip -n ${nat} link add v${side} type veth peer name eth0 netns ${host}
        ip -n ${nat} link set v${side} master lan up
        ${isIsolated ? `ip netns exec ${nat} bridge link set dev v${side} isolated on` : ""}
        ip -n ${host} addr add 192.168.1.1${number}/24 dev eth0; ip -n ${host} link set eth0 up
        ip -n ${host} route add default via 192.168.1.1`);
    }
    this.#toInternet("n", "80.1.0.11/24", "2a00:1::11/64");
    this.#rules("n", "cone");
  }
}
