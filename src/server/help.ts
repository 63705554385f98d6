/** The texts of `paloma-server --help` and `paloma-server admin --help`. */
import type { Bilingual } from "../protocol/language.ts";
import { DEFAULT_LIMITS as LIMITS, DEFAULT_RELAY_LIMITS as RELAY, MIB, type Rate } from "./limits/limits.ts";

/** As `parseRate` reads it. */
function shown({ burst, perSecond }: Rate): string {
  if (burst === Infinity) return "off";
  return perSecond < 1 ? `${burst}:${Math.round(perSecond * 60)}/min` : `${burst}:${perSecond}/s`;
}

export const HELP: Bilingual = {
  es: `Uso: paloma-server [opciones]   (sin instalar: bun run server.ts …)

  --host IP            dirección en la que escucha (todas)
  --port N             puerto sin cifrar, para los clientes antiguos (8080)
  --plain-from QUIÉN   quién puede usarlo: loopback, private, any, none (loopback)
  --tls-port N         puerto cifrado (8443)
  --proxy-protocol REDES  redes de los balanceadores que hay ante él, que anuncian con PROXY de dónde llega cada conexión
  --meeting-port N     puerto de los encuentros, u off (8444)
  --meeting-host IPS   dónde lo encuentran los clientes (en la dirección del servidor)
  --tls-cert ARCHIVO   certificado propio, en PEM; requiere --tls-key
  --tls-key ARCHIVO    su clave privada, en PEM
  --db ARCHIVO         base de datos (users.db); o postgres://…, para varios servidores
  --shared redis://…   con --db postgres://…: el Valkey o Redis que comparten
  --register QUIÉN     open: cualquiera se registra; closed: solo quien añada el operador (open)
  --log ESTILO         pretty o json (pretty en una terminal)
  --audit-log ARCHIVO  registro de auditoría, u off (junto a la base de datos: users.db.audit.jsonl)
  --metrics-port N     /healthz, /readyz, /metrics y la página de estado (ninguno)
  --metrics-host IP    dirección de ese puerto (127.0.0.1)
  --lang IDIOMA        es o en
  --help, -h, help     esta ayuda
  --version
  --                   lo que sigue no son opciones

Límites (CUÁNTOS:N/UNIDAD: CUÁNTOS de una vez y después N por s, min o h; u off):
  --max-connections N              conexiones en total (${LIMITS.connections})
  --max-connections-per-address N  de una dirección (${LIMITS.connectionsPerAddress})
  --max-anonymous N                sin sesión iniciada (${LIMITS.anonymous})
  --max-waiting-hashes N           contraseñas en espera (${LIMITS.waitingHashes})
  --connection-rate RITMO          conexiones nuevas de una dirección (${shown(LIMITS.connectionRate)})
  --request-rate RITMO             peticiones de una dirección; las demás esperan (${shown(LIMITS.requestRate)})
  --register-rate RITMO            registros de una dirección (${shown(LIMITS.registrationRate)})
  --register-rate-total RITMO      registros de todas las direcciones juntas (${shown(LIMITS.registrationRateTotal)})
  --login-rate RITMO               contraseñas probadas desde una dirección (${shown(LIMITS.loginRate)})
  --failure-rate RITMO             fallos de una dirección con una cuenta (${shown(LIMITS.failureRate)})
  --failure-rate-per-address RITMO fallos de una dirección con todas las cuentas (${shown(LIMITS.failureRatePerAddress)})
  --failure-rate-per-account RITMO fallos con una cuenta, desde todas partes (${shown(LIMITS.failureRatePerAccount)})
  --session-rate RITMO             sesiones que empieza una cuenta (${shown(LIMITS.sessionRate)})
  --lookup-rate RITMO              consultas de una cuenta (${shown(LIMITS.lookupRate)})
  --lookup-rate-per-address RITMO  consultas de una dirección (${shown(LIMITS.lookupRatePerAddress)})
  --relay-pairs N                  conversaciones que pasan por el servidor a la vez (${RELAY.pairs})
  --relay-rate N                   MiB/s de todas ellas juntas (${RELAY.rate / MIB})
  --relay-bytes-per-day N          bytes de una persona al día; después, despacio (${RELAY.bytesPerDay})

Órdenes del operador: paloma-server admin --help
Cada opción tiene su variable de entorno: --tls-port es PALOMA_TLS_PORT.
`,
  en: `Usage: paloma-server [options]   (not installed: bun run server.ts …)

  --host IP            address to listen on (all of them)
  --port N             unencrypted port, for old clients (8080)
  --plain-from WHO     who may use it: loopback, private, any, none (loopback)
  --tls-port N         encrypted port (8443)
  --proxy-protocol NETS  networks of balancers in front of it, which say by PROXY from where each connection comes
  --meeting-port N     port of meetings, or off (8444)
  --meeting-host IPS   where clients find it (at the server's address)
  --tls-cert FILE      your own certificate, in PEM; needs --tls-key
  --tls-key FILE       its private key, in PEM
  --db FILE            database (users.db); or postgres://…, for several servers
  --shared redis://…   with --db postgres://…: the Valkey or Redis that they share
  --register WHO       open: anyone can register; closed: only the operator adds accounts (open)
  --log STYLE          pretty or json (pretty on a terminal)
  --audit-log FILE     audit log, or off (beside the database: users.db.audit.jsonl)
  --metrics-port N     /healthz, /readyz, /metrics and the status page (none)
  --metrics-host IP    address of that port (127.0.0.1)
  --lang LANGUAGE      es or en
  --help, -h, help     this help
  --version
  --                   what follows are not options

Limits (BURST:N/UNIT: BURST at once, then N per s, min or h; or off):
  --max-connections N              connections in total (${LIMITS.connections})
  --max-connections-per-address N  from one address (${LIMITS.connectionsPerAddress})
  --max-anonymous N                not logged in (${LIMITS.anonymous})
  --max-waiting-hashes N           passwords waiting (${LIMITS.waitingHashes})
  --connection-rate RATE           new connections from one address (${shown(LIMITS.connectionRate)})
  --request-rate RATE              requests from one address; further ones wait (${shown(LIMITS.requestRate)})
  --register-rate RATE             registrations from one address (${shown(LIMITS.registrationRate)})
  --register-rate-total RATE       registrations from all addresses together (${shown(LIMITS.registrationRateTotal)})
  --login-rate RATE                passwords tried from one address (${shown(LIMITS.loginRate)})
  --failure-rate RATE              failures from one address with one account (${shown(LIMITS.failureRate)})
  --failure-rate-per-address RATE  failures from one address with all accounts (${shown(LIMITS.failureRatePerAddress)})
  --failure-rate-per-account RATE  failures with one account, from anywhere (${shown(LIMITS.failureRatePerAccount)})
  --session-rate RATE              sessions that one account starts (${shown(LIMITS.sessionRate)})
  --lookup-rate RATE               lookups by one account (${shown(LIMITS.lookupRate)})
  --lookup-rate-per-address RATE   lookups from one address (${shown(LIMITS.lookupRatePerAddress)})
  --relay-pairs N                  conversations relayed by the server at a time (${RELAY.pairs})
  --relay-rate N                   MiB/s of all of them together (${RELAY.rate / MIB})
  --relay-bytes-per-day N          bytes of one person and day; then slowly (${RELAY.bytesPerDay})

The operator's commands: paloma-server admin --help
Every option has its environment variable: --tls-port is PALOMA_TLS_PORT.
`,
};

export const ADMIN_HELP: Bilingual = {
  es: `Uso: paloma-server admin ORDEN [argumentos] [opciones]   (sin instalar: bun run server.ts admin …)

  users [TEXTO]          las cuentas, o aquellas cuyo nombre o correo contiene TEXTO
  add NOMBRE [CORREO]    crea una cuenta y muestra su contraseña, una sola vez
  add --from ARCHIVO     lo mismo con cada línea NOMBRE,CORREO del archivo; escribe NOMBRE,CONTRASEÑA
  disable NOMBRE         nadie puede entrar con la cuenta; su sesión y sus conversaciones terminan
  enable NOMBRE          la cuenta se puede usar de nuevo
  delete NOMBRE          borra la cuenta; el nombre queda libre pasadas 73 horas
  reset-password NOMBRE  muestra una contraseña nueva; terminan sus sesiones y conversaciones
  sessions [NOMBRE]      quién está conectado, y qué sesiones se pueden reanudar
  revoke NOMBRE [ID]     anula una sesión, o todas; terminan sus conversaciones
  backup ARCHIVO         hace una copia comprobada de la base de datos
  restore ARCHIVO        restaura esa copia, con el servidor parado; conserva la base de datos anterior
  move --to postgres://… traslada todo a PostgreSQL, con el servidor parado; el archivo no se usa más

  --db ARCHIVO           base de datos (users.db); o postgres://…
  --shared redis://…     con --db postgres://…: el Valkey o Redis de los servidores
  --audit-log ARCHIVO    registro de auditoría, si el servidor lo tiene en otro sitio
  --json                 un objeto JSON por línea
  --yes                  borra sin preguntar
  --lang IDIOMA          es o en
  --help, -h, help       esta ayuda
  --version
  --                     lo que sigue son argumentos: users -- -5

Todas menos «restore» y «move» funcionan con el servidor en marcha o parado, para quien pueda leer y escribir la base de datos.
Con postgres://…, «backup» y «restore» son cosa de pg_dump y pg_restore.
`,
  en: `Usage: paloma-server admin COMMAND [arguments] [options]   (not installed: bun run server.ts admin …)

  users [TEXT]           the accounts, or those whose name or email address contains TEXT
  add NAME [EMAIL]       creates an account and prints its password, once
  add --from FILE        the same with each line NAME,EMAIL of the file; prints NAME,PASSWORD
  disable NAME           nobody can log in to the account; its session and conversations end
  enable NAME            the account can be used again
  delete NAME            deletes the account; the name becomes free after 73 hours
  reset-password NAME    prints a new password; the account's sessions and conversations end
  sessions [NAME]        who is online, and which sessions can be resumed
  revoke NAME [ID]       revokes one session, or all; the account's conversations end
  backup FILE            makes a verified copy of the database
  restore FILE           restores that copy, with the server stopped; keeps the previous database
  move --to postgres://… moves everything to PostgreSQL, with the server stopped; the file is used no more

  --db FILE              database (users.db); or postgres://…
  --shared redis://…     with --db postgres://…: the Valkey or Redis of the servers
  --audit-log FILE       audit log, if the server has it elsewhere
  --json                 one JSON object per line
  --yes                  deletes without asking
  --lang LANGUAGE        es or en
  --help, -h, help       this help
  --version
  --                     what follows are arguments: users -- -5

All but “restore” and “move” work with the server running or stopped, for whoever can read and write the database.
With postgres://…, “backup” and “restore” are for pg_dump and pg_restore.
`,
};
