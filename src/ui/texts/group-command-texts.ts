/** The commands about groups, and why something is not done in a group. Names passed in are visible text already. */
import { quotedText } from "../../protocol/quoted-text.ts";
import { personas, people } from "./group-texts.ts";
import { plural, type BilingualText } from "./bilingual-text.ts";

export const GROUP_COMMAND_TEXTS = {
  groupNotPerson: {
    es: (typed: string) => `«${quotedText(typed)}» es un grupo, y esto es para una persona.`,
    en: (typed: string) => `“${quotedText(typed)}” is a group, and this is for a person.`,
  },
  groupNeedsSign: {
    es: (typed: string, name: string) => `«${quotedText(typed)}» es un grupo: se escribe '${name}'.`,
    en: (typed: string, name: string) => `“${quotedText(typed)}” is a group: it is typed '${name}'.`,
  },
  unknownGroupWord: {
    es: (word: string, meant: string | undefined) =>
      `group: no se conoce «${quotedText(word)}».${meant === undefined ? " Vea --help." : ` ¿Quiere decir ${meant}?`}`,
    en: (word: string, meant: string | undefined) =>
      `group: “${quotedText(word)}” is not known.${meant === undefined ? " See --help." : ` Did you mean ${meant}?`}`,
  },
  groupFounded: {
    es: (name: string) => `Grupo fundado: ${name}`,
    en: (name: string) => `Group founded: ${name}`,
  },
  groupTitleTaken: {
    es: (name: string) =>
      `Ya hay otro grupo con ese título, o con uno que se le parece: este se escribe ${name}.`,
    en: (name: string) =>
      `Another group has this title, or one that looks like it: this one is typed ${name}.`,
  },
  groupRenamed: {
    es: (title: string) => `El grupo se llama ahora ${title}.`,
    en: (title: string) => `The group is called ${title} now.`,
  },
  groupIsRemoved: {
    es: (user: string, title: string) =>
      `${user} ya no está en ${title}: nada más se le envía, y lo que tiene se le queda.`,
    en: (user: string, title: string) =>
      `${user} is no longer in ${title}: nothing more is sent to them, and they keep what they have.`,
  },
  groupIsNotInvited: {
    es: (user: string) => `Ya no se invitará a ${user}.`,
    en: (user: string) => `${user} will not be invited.`,
  },
  groupIsAdmin: {
    es: (user: string, title: string) => `${user} administra ahora ${title}.`,
    en: (user: string, title: string) => `${user} is an admin of ${title} now.`,
  },
  groupChangeWaits: {
    es: "Queda guardado y llegará a los demás cuando alguien del grupo y usted estén en línea (menús, listen o el próximo send).",
    en: "It is stored, and the others will learn it when somebody of the group is online and so are you (menus, listen or the next send).",
  },
  groupInvitedLine: {
    es: (user: string) => `${user}: con invitación`,
    en: (user: string) => `${user}: invited`,
  },
  groupWaitsLine: {
    es: (user: string) => `${user}: en espera; se le invitará cuando esté en línea`,
    en: (user: string) => `${user}: waits, and will be invited when online`,
  },
  groupWaitsStrangerLine: {
    es: (user: string) => `${user}: en espera, o nadie se llama así: compruebe el nombre`,
    en: (user: string) => `${user}: waits, or nobody has this name: check it`,
  },
  groupMemberLine: {
    es: (user: string) => `${user}: ya está en el grupo`,
    en: (user: string) => `${user}: is in the group already`,
  },
  groupAddSum: {
    es: (name: string, invited: number, waiting: number, members: number, failed: number) =>
      `${name}: ${[
        `${invited} con invitación`,
        ...(waiting === 0 ? [] : [`${waiting} en espera`]),
        ...(members === 0 ? [] : [`${members} ya en el grupo`]),
        ...(failed === 0 ? [] : [`${failed} sin invitar`]),
      ].join(", ")}.`,
    en: (name: string, invited: number, waiting: number, members: number, failed: number) =>
      `${name}: ${[
        `${invited} invited`,
        ...(waiting === 0 ? [] : [`${waiting} waiting`]),
        ...(members === 0 ? [] : [`${members} in it already`]),
        ...(failed === 0 ? [] : [`${failed} not invited`]),
      ].join(", ")}.`,
  },
  groupWhoWaits: {
    es: (count: number) =>
      plural(
        count,
        "A quien espera se le invita en cuanto los dos estén en línea (menús, listen o daemon).",
        "A quienes esperan se les invita en cuanto estén en línea a la vez que usted (menús, listen o daemon).",
      ),
    en: (count: number) =>
      plural(
        count,
        "Who waits is invited as soon as both of you are online (menus, listen or daemon).",
        "Those who wait are invited as soon as they and you are online (menus, listen or daemon).",
      ),
  },
  groupAddNeedsMember: {
    es: "Nadie más del grupo está en línea: se invita en cuanto lo esté alguien del grupo, con cuya copia se compara antes la de aquí (menús, listen o daemon).",
    en: "Nobody else of the group is online: the invitation waits for a member of it, with whose copy the one here is compared first (menus, listen or daemon).",
  },
  groupPeerTooOld: {
    es: "Su programa aún no sabe de grupos.",
    en: "Their program does not know groups yet.",
  },
  groupNobodyOnline: {
    es: (name: string) => `Nadie de ${name} está en línea.`,
    en: (name: string) => `Nobody of ${name} is online.`,
  },
  groupNobodyReached: {
    es: (name: string) => `No se llega a nadie de ${name}.`,
    en: (name: string) => `Nobody of ${name} can be reached.`,
  },
  groupNotAcknowledged: {
    es: (name: string) => `Nadie de ${name} ha confirmado a tiempo que lo tiene.`,
    en: (name: string) => `Nobody of ${name} has confirmed in time that they have it.`,
  },
  groupQueued: {
    es: (what: string, name: string) =>
      `${what} queda en cola y se enviará cuando alguien de ${name} y usted estén en línea (menús, listen o el próximo send).`,
    en: (what: string, name: string) =>
      `${what} is queued and will be sent when somebody of ${name} is online and so are you (menus, listen or the next send).`,
  },
  groupQueuedFor: {
    es: (what: string, name: string) => `${what} queda en cola para ${name}.`,
    en: (what: string, name: string) => `${what} is queued for ${name}.`,
  },
  groupInvitationHere: {
    es: (by: string, title: string, count: number, seesEarlier: string, name: string) =>
      `${by} le invita a ${title} (${personas(count)}). ${seesEarlier} Conteste con: group accept '${name}', o group decline '${name}'`,
    en: (by: string, title: string, count: number, seesEarlier: string, name: string) =>
      `${by} invites you to ${title} (${people(count)}). ${seesEarlier} Answer with: group accept '${name}', or group decline '${name}'`,
  },
  badNamesInFile: {
    es: (file: string, lines: string) => `${file}: no se ha invitado a nadie.\n${lines}`,
    en: (file: string, lines: string) => `${file}: nobody was invited.\n${lines}`,
  },
  badNameInLine: {
    es: (line: number, name: string) =>
      `Línea ${line}: «${quotedText(name.slice(0, 80))}» no es un nombre de usuario válido.`,
    en: (line: number, name: string) =>
      `Line ${line}: “${quotedText(name.slice(0, 80))}” is not a valid user name.`,
  },
  moreBadLines: {
    es: (count: number) => plural(count, "Y otra línea más.", `Y otras ${count} líneas.`),
    en: (count: number) => plural(count, "And one more line.", `And ${count} more lines.`),
  },
  noNamesInFile: {
    es: (file: string) => `${file}: no hay ningún nombre.`,
    en: (file: string) => `${file}: there are no names.`,
  },
  tooManyNames: {
    es: (count: number, most: number) => `Son ${count} nombres: en un grupo caben ${most} personas.`,
    en: (count: number, most: number) => `These are ${count} names: a group holds ${most} people.`,
  },
  namesFileTooLarge: {
    es: (file: string) => `${file}: el archivo supera los 256 KiB.`,
    en: (file: string) => `${file}: the file exceeds 256 KiB.`,
  },
  namesFileNotRead: {
    es: (file: string, why: string) => `${file} no se puede leer: ${why}`,
    en: (file: string, why: string) => `${file} cannot be read: ${why}`,
  },
  stdinHasNames: {
    es: "La entrada estándar no puede dar la contraseña y los nombres a la vez: ponga los nombres en un archivo.",
    en: "Standard input cannot provide both the password and the names: put the names into a file.",
  },

  /** Why something is not done in a group. */
  groupNoSuch: { es: "No hay ningún grupo así.", en: "There is no such group." },
  groupNotMember: { es: "Usted no está en este grupo.", en: "You are not in this group." },
  groupNoSuchMember: { es: "Esa persona no está en el grupo.", en: "That person is not in the group." },
  groupNotInvited: {
    es: "De este grupo no espera respuesta ninguna invitación.",
    en: "No invitation to this group waits for an answer.",
  },
  groupIsInAlready: {
    es: (title: string) => `Ya está en ${title}.`,
    en: (title: string) => `You are in ${title} already.`,
  },
  groupNotAdmin: {
    es: "Eso solo lo puede hacer quien administra el grupo.",
    en: "Only an admin of the group can do that.",
  },
  groupNotAbove: {
    es: "Esa persona administra el grupo por encima de usted, o a su misma altura: no puede hacerle eso.",
    en: "That person stands above you in the group, or beside you: you cannot do that to them.",
  },
  groupAlreadyAdmin: {
    es: "Esa persona ya administra el grupo.",
    en: "That person is an admin of the group already.",
  },
  groupAlreadyMember: { es: "Esa persona ya está en el grupo.", en: "That person is in the group already." },
  groupFull: {
    es: "El grupo está completo: caben 256 personas.",
    en: "The group is full: it holds 256 people.",
  },
  groupTooManyInvitations: {
    es: "Ya esperan demasiadas invitaciones: conteste antes a alguna.",
    en: "Too many invitations are waiting: answer some of them first.",
  },
  groupNobodyThere: {
    es: "Nadie del grupo está en línea: no se ha cambiado nada. Un cambio necesita a otra persona del grupo, con cuya copia se compara antes la de aquí. Si ya no va a volver nadie, /group copy funda otro grupo con las mismas personas.",
    en: "Nobody of the group is online: nothing was changed. A change needs another person of the group, with whose copy the one here is compared first. If nobody will come back, /group copy founds another group with the same people.",
  },
  groupLimited: {
    es: "Se ha escrito demasiado en poco tiempo en el grupo: espere un poco y repítalo.",
    en: "Too much was written to the group in a short time: wait a little and try again.",
  },
  groupForked: {
    es: "Sus mensajes en el grupo se han bifurcado (¿copia restaurada?): un administrador tiene que admitirle de nuevo.",
    en: "Your messages in the group fork (a restored copy?): an admin has to admit you again.",
  },
} as const satisfies { readonly [name: string]: BilingualText };
