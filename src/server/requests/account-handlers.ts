/** The handlers of the requests that change accounts and sessions (PROTOCOL 4). */
import { checkUsername, fold } from "../../identity/names.ts";
import type { RequestOf } from "../../protocol/rendezvous-messages.ts";
import { isEmailAcceptable, isPasswordAcceptable } from "../../protocol/account-rules.ts";
import type { OnlineUser } from "../presence/online-user.ts";
import { failure, rateLimited, success, type Response } from "../session/responses.ts";
import type { Session } from "../session/session.ts";
import type { Account } from "../store/store.ts";
import { originOf } from "./login-handlers.ts";
import { hashStep, verifyStep, type HashStep } from "./password-step.ts";

const REGISTERED = { es: "Usuario registrado exitosamente", en: "User registered" };

export async function register(
  session: Session,
  request: RequestOf<"register">,
): Promise<Response | undefined> {
  const { attempts, registration, seats, security, store } = session.services;
  const name = checkUsername(request.username);
  const email = request.email ?? "";
  if (registration === "closed") return failure("registration_closed");
  if (!seats.isOpen) return failure("server_busy");
  if (!name.ok) return failure("invalid_username");
  if (!isPasswordAcceptable(request.password)) return failure("weak_password");
  if (!isEmailAcceptable(email)) return failure("invalid_email");
  const isTaken = await store.isTaken(fold(name.name));
  const verdict = await attempts.registration(session.remoteAddress, isTaken);
  if (verdict.name === "limited") return rateLimited(verdict);
  if (isTaken) return failure("username_taken");
  const hash = await hashStep(session, request.password);
  if (hash.name === "ended") return hash.response;
  const added = await store.add({ username: name.name, password: hash.value, email });
  if (!added) return failure("username_taken");
  security.record("registered", { user: name.name, ...originOf(session) });
  return success({ message: REGISTERED });
}

/** The connection is ended after the answer. */
export async function logout(
  session: Session,
  _request: unknown,
  user: OnlineUser,
): Promise<Response | undefined> {
  const { security, store } = session.services;
  if (user.key !== undefined) await store.voidKey(user.userId, user.key.fingerprint);
  security.record("logout", { user: user.username, ...originOf(session) });
  return success();
}

export async function changePassword(
  session: Session,
  request: RequestOf<"change_password">,
  user: OnlineUser,
): Promise<Response | undefined> {
  const { revocations, security, store } = session.services;
  if (!isPasswordAcceptable(request.new_password)) return failure("weak_password");
  const verified = await verifyOwnPassword(session, request.password, user);
  if (verified.name === "ended") return verified.response;
  const account = verified.value;
  if (account === undefined) {
    security.record("password_change_failed", { user: user.username, ...originOf(session) });
    return failure("invalid_credentials");
  }
  const hash = await hashStep(session, request.new_password);
  if (hash.name === "ended") return hash.response;
  const { key } = user;
  const change = { id: account.id, was: account.password, hash: hash.value, kept: key?.tokenHash };
  const changed = await store.setPassword(change, { name: "password", key: key?.fingerprint });
  if (changed === undefined) return failure("invalid_credentials");
  revocations.changed(changed);
  security.record("password_changed", { user: user.username, ...originOf(session) });
  return success();
}

export async function deleteAccount(
  session: Session,
  request: RequestOf<"delete_account">,
  user: OnlineUser,
): Promise<Response | undefined> {
  const { revocations, seats, security, store } = session.services;
  const verified = await verifyOwnPassword(session, request.password, user);
  if (verified.name === "ended") return verified.response;
  const account = verified.value;
  const deleted = account && (await store.delete(account.id, account.password, { name: "deletion" }));
  if (deleted === undefined) {
    security.record("account_deletion_failed", { user: user.username, ...originOf(session) });
    return failure("invalid_credentials");
  }
  revocations.changed(deleted);
  // This one is answered. Another session may have replaced it meanwhile.
  session.unbind();
  await seats.end(user.fold, "account_deleted");
  security.record("account_deleted", { user: user.username, ...originOf(session) });
  return success();
}

/** `verifyStep` for the user who is logged in. */
async function verifyOwnPassword(
  session: Session,
  password: string,
  user: OnlineUser,
): Promise<HashStep<Account | undefined>> {
  const account = await session.services.store.byId(user.userId);
  return verifyStep(session, password, { fold: user.fold, account, device: user.key?.fingerprint });
}
