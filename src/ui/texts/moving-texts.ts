/** Moving an account to another machine. */
import type { BilingualText } from "./bilingual-text.ts";

export const MOVING_TEXTS = {
  accountMoved: {
    es: (day: string) =>
      `Esta cuenta se llevó a otra máquina el ${day} (profile export) y aquí ya no entra en línea: con su clave en dos máquinas, lo que le envían llegaría a una o a otra. Lo guardado se puede leer; para volver a usarla aquí, añada --force.`,
    en: (day: string) =>
      `This account was moved to another machine on ${day} (profile export) and does not go online here any more: with its key on two machines, what is sent to it would reach one or the other. What is stored can be read; to use the account here again, add --force.`,
  },
  accountMoving: {
    es: "Esta cuenta se está llevando a otra máquina (profile export): aquí queda desconectada.",
    en: "This account is being moved to another machine (profile export): it is offline here.",
  },
  movedOn: {
    es: (day: string) => `Se llevó a otra máquina el ${day}: aquí solo se lee.`,
    en: (day: string) => `Moved to another machine on ${day}: here it can only be read.`,
  },
} as const satisfies { readonly [name: string]: BilingualText };
