/**
 * What is done in Valkey in one step. Users are kept as `fold → record`; a record begins with `node⇥sid⇥fingerprint⇥`,
 * its owner and the key that it was entered with. Whoever changes one adds an event to the stream of news, whose ids are
 * `<number>-0` without gaps.
 */

/** A script, and the hash by which Valkey knows it once it has run. */
export type Script = { readonly text: string; readonly sha: string; readonly keys: readonly string[] };

export const USERS = "p:users";
export const NEWS = "p:news";
export const SEQUENCE = "p:seq";
export const EPOCH = "p:epoch";

/** Events kept, about. Who has missed more reads everything. */
const NEWS_KEPT = 100_000;
const ALL = [USERS, NEWS, SEQUENCE];

export const usersOf = (node: string): string => `p:n:${node}`;
export const leaseOf = (node: string): string => `p:hb:${node}`;
/** The stream of what other nodes push to the sessions of this one. */
export const pushesTo = (node: string): string => `p:to:${node}`;

function script(text: string, keys: readonly string[] = ALL): Script {
  return { text, sha: new Bun.CryptoHasher("sha1").update(text).digest("hex"), keys };
}

const ADD = `redis.call('XADD',KEYS[2],'MAXLEN','~',${NEWS_KEPT},string.format('%.0f-0',redis.call('INCR',KEYS[3])),`;

/**
 * fold node sid fingerprint rest replace → `ok` and the owner before, `already_connected`, or `fenced`: the node has no
 * lease. The same key, or `replace` 1, takes the place of another session; so does anybody that of a node without a lease.
 */
export const ENTER = script(`
local fold,node,sid,fp,rest=ARGV[1],ARGV[2],ARGV[3],ARGV[4],ARGV[5]
if redis.call('EXISTS','p:hb:'..node)==0 then return {'fenced'} end
local cur=redis.call('HGET',KEYS[1],fold)
local was=''
if cur then
  local n,s,f=string.match(cur,'^([^\\t]*)\\t([^\\t]*)\\t([^\\t]*)\\t')
  if n==node and s==sid then return {'ok',''} end
  if ARGV[6]~='1' and (fp=='' or fp~=f) and redis.call('EXISTS','p:hb:'..n)==1 then return {'already_connected'} end
  if n~=node then redis.call('SREM','p:n:'..n,fold) end
  was=n..':'..s
end
local record=node..'\\t'..sid..'\\t'..fp..'\\t'..rest
redis.call('HSET',KEYS[1],fold,record)
redis.call('SADD','p:n:'..node,fold)
${ADD}'e','on','f',fold,'v',record,'p',was)
return {'ok',was}`);

/** fold node sid rest → 1, or 0 if somebody else is the owner. */
export const MOVE = script(`
local fold,node,sid=ARGV[1],ARGV[2],ARGV[3]
local cur=redis.call('HGET',KEYS[1],fold)
if not cur then return 0 end
local n,s,f=string.match(cur,'^([^\\t]*)\\t([^\\t]*)\\t([^\\t]*)\\t')
if n~=node or s~=sid then return 0 end
local record=node..'\\t'..sid..'\\t'..f..'\\t'..ARGV[4]
redis.call('HSET',KEYS[1],fold,record)
${ADD}'e','on','f',fold,'v',record,'p',node..':'..sid)
return 1`);

/** fold node sid → 1, or 0 if somebody else is the owner, or nobody. */
export const LEAVE = script(`
local fold,node,sid=ARGV[1],ARGV[2],ARGV[3]
local cur=redis.call('HGET',KEYS[1],fold)
if not cur then return 0 end
local n,s=string.match(cur,'^([^\\t]*)\\t([^\\t]*)\\t')
if n~=node or s~=sid then return 0 end
redis.call('HDEL',KEYS[1],fold) redis.call('SREM','p:n:'..node,fold)
${ADD}'e','off','f',fold,'p',node..':'..sid)
return 1`);

/**
 * node leaseMs randomEpoch → epoch, 1 if the node was not known, number of the last event, time in s, nodes whose lease
 * has ended, users. The epoch is another one after each loss of data and each start of Valkey.
 */
export const BEAT = script(
  `
local node,lease,epoch=ARGV[1],ARGV[2],ARGV[3]
local e=redis.call('GET','p:epoch')
local t=redis.call('TIME')
if not e then e=epoch redis.call('SET','p:epoch',e) redis.call('SET','p:seq',t[1]..'000000') end
e=e..'.'..string.match(redis.call('INFO','server'),'run_id:(%x+)')
local fresh=redis.call('SADD','p:nodes',node)
redis.call('SET','p:hb:'..node,'1','PX',lease)
local dead={}
for _,n in ipairs(redis.call('SMEMBERS','p:nodes')) do
  if redis.call('EXISTS','p:hb:'..n)==0 then dead[#dead+1]=n end
end
return {e,fresh,redis.call('GET','p:seq') or '0',t[1],dead,redis.call('HLEN',KEYS[1])}`,
  [USERS],
);

/** node count → -1 if it has a lease, else how many of its users are left. */
export const REAP = script(`
local node,count=ARGV[1],tonumber(ARGV[2])
if redis.call('EXISTS','p:hb:'..node)==1 then return -1 end
local own='p:n:'..node
for _,fold in ipairs(redis.call('SPOP',own,count)) do
  local cur=redis.call('HGET',KEYS[1],fold)
  if cur then
    local n,s=string.match(cur,'^([^\\t]*)\\t([^\\t]*)\\t')
    if n==node then
      redis.call('HDEL',KEYS[1],fold)
      ${ADD}'e','off','f',fold,'p',n..':'..s)
    end
  end
end
local left=redis.call('SCARD',own)
if left==0 then redis.call('SREM','p:nodes',node) end
return left`);

/** fold why: every session of the name is to end, at whichever node. */
export const END = script(`
return ${ADD}'e','end','f',ARGV[1],'w',ARGV[2])`);

/** json: a revocation, for every node. */
export const REVOKED = script(`
return ${ADD}'e','revoked','v',ARGV[1])`);

/** interval_us burst cost, of one bucket → 0 and taken, or the ms to wait. */
export const TAKE = script(
  `
local t=redis.call('TIME')
local now=t[1]*1000000+t[2]
local interval,burst,cost=tonumber(ARGV[1]),tonumber(ARGV[2]),tonumber(ARGV[3])
local tat=tonumber(redis.call('GET',KEYS[1]) or '0')
if tat<now then tat=now end
local new=tat+interval*cost
local over=new-now-interval*burst
if over>0 then return math.ceil(over/1000) end
redis.call('SET',KEYS[1],string.format('%.0f',new),'PX',math.ceil((new-now)/1000)+1)
return 0`,
  [],
);

/** As TAKE, the other way round: what was taken is given back. */
export const GIVE = script(
  `
local t=redis.call('TIME')
local now=t[1]*1000000+t[2]
local new=tonumber(redis.call('GET',KEYS[1]) or '0')-tonumber(ARGV[1])*tonumber(ARGV[3])
if new<=now then return redis.call('DEL',KEYS[1]) end
redis.call('SET',KEYS[1],string.format('%.0f',new),'PX',math.ceil((new-now)/1000)+1)
return 0`,
  [],
);
