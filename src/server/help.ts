/** What `bun run server.ts --help` and `bun run server.ts admin --help` print. */
import type { Bilingual } from "../protocol/language.ts";

export const HELP: Bilingual = {
  es: `Uso: bun run server.ts [opciones]

  --host IP            dirección en la que escucha (todas)
  --port N             puerto sin cifrar, para los clientes antiguos (8080)
  --plain-from QUIÉN   quién puede usarlo: loopback, private, any, none (loopback)
  --tls-port N         puerto cifrado (8443)
  --tls-cert ARCHIVO   certificado propio, en PEM, con --tls-key
  --tls-key ARCHIVO    su clave privada, en PEM
  --db ARCHIVO         base de datos (users.db)
  --log ESTILO         pretty o json (pretty en un terminal)
  --lang IDIOMA        es o en
  --help, --version

Cada opción tiene su variable de entorno: --tls-port es PALOMA_TLS_PORT.
`,
  en: `Usage: bun run server.ts [options]

  --host IP            address to listen on (all of them)
  --port N             unencrypted port, for old clients (8080)
  --plain-from WHO     who may use it: loopback, private, any, none (loopback)
  --tls-port N         encrypted port (8443)
  --tls-cert FILE      your own certificate, PEM, with --tls-key
  --tls-key FILE       its private key, PEM
  --db FILE            database (users.db)
  --log STYLE          pretty or json (pretty on a terminal)
  --lang LANGUAGE      es or en
  --help, --version

Every option has its environment variable: --tls-port is PALOMA_TLS_PORT.
`,
};

export const ADMIN_HELP: Bilingual = {
  es: `Uso: bun run server.ts admin ORDEN [argumentos]
`,
  en: `Usage: bun run server.ts admin COMMAND [arguments]
`,
};
