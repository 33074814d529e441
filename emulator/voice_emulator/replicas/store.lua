-- What the store does, each in one step: replicas and their leases, who owns which tenant, and the tenants' rows.
--
-- ARGV[1] is what to do, ARGV[2] the arguments as JSON; the reply is JSON. All keys begin with the prefix p:
--   layout           the version of what is described here
--   session:S        is there as long as the lease of session S lasts; a replica has one session at a time
--   sessions         hash: session -> name and URL of the replica, as JSON
--   version          counts changes of owners and sessions
--   epoch            the number of the last take-over; no two owners ever have the same
--   owners           hash: tenant -> "session epoch", or "- epoch" when it was given up
--   tenants          sorted set: tenants, the oldest first
--   keys, ids        hashes: credential, or issued id -> tenant
--   tenant:T         hash: n commits so far, o rows so far, the credentials, and k:KIND for each kind of rows
--   tenant:T:KIND    hash: key -> "number:value"; the number orders the rows

local p = ''

local function alive(session)
  return redis.call('EXISTS', p .. 'session:' .. session) == 1
end

local function free(holder)
  return not alive(string.match(holder, '^(%S+) '))
end

local function changed()
  redis.call('INCR', p .. 'version')
end

-- Which of these keys belong to another tenant: the first, and its owner.
local function taken(tenant, keys)
  for _, key in ipairs(keys) do
    local owner = redis.call('HGET', p .. 'keys', key)
    if owner and owner ~= tenant and redis.call('HEXISTS', p .. 'owners', owner) == 1 then
      return {key, owner}
    end
  end
end

local function enrol(tenant, keys)
  local record = p .. 'tenant:' .. tenant
  local wanted = {}
  for _, key in ipairs(keys) do
    wanted[key] = true
    redis.call('HSET', p .. 'keys', key, tenant)
  end
  for _, key in ipairs(cjson.decode(redis.call('HGET', record, 'keys') or '[]')) do
    if not wanted[key] and redis.call('HGET', p .. 'keys', key) == tenant then
      redis.call('HDEL', p .. 'keys', key)
    end
  end
  redis.call('HSET', record, 'keys', cjson.encode(keys))
end

local function kinds(record)
  local found = {}
  for _, name in ipairs(redis.call('HKEYS', record)) do
    if string.sub(name, 1, 2) == 'k:' then found[#found + 1] = string.sub(name, 3) end
  end
  return found
end

local function forget_id(tenant, row)
  local id = string.match(row, '^%d+:(.*)$')
  if redis.call('HGET', p .. 'ids', id) == tenant then redis.call('HDEL', p .. 'ids', id) end
end

local function forget_kind(tenant, record, kind)
  local rows = record .. ':' .. kind
  if kind == 'issued' then
    for _, row in ipairs(redis.call('HVALS', rows)) do forget_id(tenant, row) end
  end
  redis.call('DEL', rows)
  redis.call('HDEL', record, 'k:' .. kind)
end

local function forget_tenant(tenant)
  local record = p .. 'tenant:' .. tenant
  enrol(tenant, {})
  for _, kind in ipairs(kinds(record)) do forget_kind(tenant, record, kind) end
  redis.call('DEL', record)
  redis.call('HDEL', p .. 'owners', tenant)
  redis.call('ZREM', p .. 'tenants', tenant)
  changed()
end

local function apply(tenant, change)
  local record = p .. 'tenant:' .. tenant
  if change.only then
    if #change.only == 0 and not change.put then return forget_tenant(tenant) end
    local stays = {}
    for _, kind in ipairs(change.only) do stays[kind] = true end
    for _, kind in ipairs(kinds(record)) do
      if not stays[kind] then forget_kind(tenant, record, kind) end
    end
  end
  if change.keys then enrol(tenant, change.keys) end
  if change.put then
    local count = tonumber(redis.call('HGET', record, 'o') or '0')
    local before = count
    for _, row in ipairs(change.put) do
      local kind, key, value = row[1], row[2], row[3]
      local rows = record .. ':' .. kind
      local old = redis.call('HGET', rows, key)
      local order = old and string.match(old, '^%d+')
      if not order then
        count = count + 1
        order = string.format('%d', count)
        redis.call('HSETNX', record, 'k:' .. kind, '')
      end
      redis.call('HSET', rows, key, order .. ':' .. value)
      if kind == 'issued' then redis.call('HSETNX', p .. 'ids', value, tenant) end
    end
    if count > before then redis.call('HSET', record, 'o', string.format('%d', count)) end
  end
  for _, row in ipairs(change.drop or {}) do
    local rows = record .. ':' .. row[1]
    if row[1] == 'issued' then
      local old = redis.call('HGET', rows, row[2])
      if old then forget_id(tenant, old) end
    end
    redis.call('HDEL', rows, row[2])
  end
  for kind, most in pairs(change.newest or {}) do
    local rows = record .. ':' .. kind
    local all, orders = redis.call('HGETALL', rows), {}
    for at = 2, #all, 2 do orders[#orders + 1] = tonumber(string.match(all[at], '^%d+')) end
    if #orders > most then
      table.sort(orders)
      local first = orders[#orders - most + 1]
      for at = 2, #all, 2 do
        if not first or tonumber(string.match(all[at], '^%d+')) < first then
          if kind == 'issued' then forget_id(tenant, all[at]) end
          redis.call('HDEL', rows, all[at - 1])
        end
      end
    end
  end
end

-- One tenant's part of a commit: all or nothing. What was applied before is not applied again.
local function commit_tenant(session, tenant, epoch, changes)
  if redis.call('HGET', p .. 'owners', tenant) ~= session .. ' ' .. epoch then return {'fenced'} end
  local record = p .. 'tenant:' .. tenant
  local done = tonumber(redis.call('HGET', record, 'n') or '0')
  if changes[1][1] > done + 1 then return {'behind', done} end
  for _, numbered in ipairs(changes) do
    if numbered[1] > done and numbered[2].keys then
      local found = taken(tenant, numbered[2].keys)
      if found then return {'taken', found[1], found[2]} end
    end
  end
  for _, numbered in ipairs(changes) do
    if numbered[1] > done then
      apply(tenant, numbered[2])
      if redis.call('HEXISTS', p .. 'owners', tenant) == 1 then
        redis.call('HSET', record, 'n', string.format('%d', numbered[1]))
      end
    end
  end
  return {'kept'}
end

local function own(session, tenant)
  local epoch = string.format('%d', redis.call('INCR', p .. 'epoch'))
  redis.call('HSET', p .. 'owners', tenant, session .. ' ' .. epoch)
  changed()
  return {epoch, tonumber(redis.call('HGET', p .. 'tenant:' .. tenant, 'n') or '0')}
end

local doing = {}

-- Begin a session. With the tenants of an earlier one that are still this replica's: keep them.
function doing.join(a)
  local layout = redis.call('GET', p .. 'layout')
  if layout and layout ~= a.layout then return {layout = layout} end
  redis.call('SET', p .. 'layout', a.layout)
  redis.call('SET', p .. 'session:' .. a.session, a.node, 'PX', a.lease)
  redis.call('HSET', p .. 'sessions', a.session, a.node)
  changed()
  local kept = {}
  for tenant, holder in pairs(a.tenants or {}) do
    local now = redis.call('HGET', p .. 'owners', tenant)
    -- The second: this is said again, because the reply was lost.
    if now and (now == holder or string.match(now, '^%S+') == a.session) then
      kept[tenant] = own(a.session, tenant)
    end
  end
  return {tenants = kept}
end

-- Renew a lease. Also in how many milliseconds the first of the others ends, and who owns what, if that has changed since
-- the version that is known.
function doing.renew(a)
  if a.session and redis.call('PEXPIRE', p .. 'session:' .. a.session, a.lease) == 0 then return {lost = true} end
  local sessions, first = {}, nil
  local all = redis.call('HGETALL', p .. 'sessions')
  for at = 1, #all, 2 do
    local left = redis.call('PTTL', p .. 'session:' .. all[at])
    if left > 0 then
      sessions[all[at]] = all[at + 1]
      if all[at] ~= a.session and (not first or left < first) then first = left end
    else
      redis.call('HDEL', p .. 'sessions', all[at])
    end
  end
  local version = redis.call('GET', p .. 'version') or '0'
  local reply = {sessions = sessions, version = version, ends = first}
  if version ~= a.version then
    reply.owners = {}
    all = redis.call('HGETALL', p .. 'owners')
    for at = 1, #all, 2 do reply.owners[all[at]] = all[at + 1] end
  end
  return reply
end

-- Take over what nobody owns, or what this session took over without hearing of it.
function doing.claim(a)
  if not alive(a.session) then return {lost = true} end
  local tenants = {}
  for _, tenant in ipairs(a.tenants) do
    local holder = redis.call('HGET', p .. 'owners', tenant)
    if holder and (free(holder) or string.match(holder, '^%S+') == a.session) then tenants[tenant] = own(a.session, tenant) end
  end
  return {tenants = tenants}
end

function doing.create(a)
  if not alive(a.session) then return {lost = true} end
  if redis.call('HEXISTS', p .. 'owners', a.tenant) == 1 then
    return {exists = redis.call('HGET', p .. 'tenant:' .. a.tenant, 'start') or ''}
  end
  local found = taken(a.tenant, a.keys)
  if found then return {taken = found} end
  local owned = own(a.session, a.tenant)
  redis.call('ZADD', p .. 'tenants', owned[1], a.tenant)
  enrol(a.tenant, a.keys)
  if a.start then redis.call('HSET', p .. 'tenant:' .. a.tenant, 'start', a.start) end
  return {owned = owned}
end

-- Reserve credentials for a tenant, beside those that it has; the next commit says which of them it keeps.
function doing.reserve(a)
  if redis.call('HGET', p .. 'owners', a.tenant) ~= a.session .. ' ' .. a.epoch then return {fenced = true} end
  local found = taken(a.tenant, a.keys)
  if found then return {taken = found} end
  local record = p .. 'tenant:' .. a.tenant
  local all = cjson.decode(redis.call('HGET', record, 'keys') or '[]')
  local known = {}
  for _, key in ipairs(all) do known[key] = true end
  for _, key in ipairs(a.keys) do
    if not known[key] then all[#all + 1] = key end
  end
  enrol(a.tenant, all)
  return {}
end

function doing.commit(a)
  if not alive(a.session) then return {lost = true} end
  local done = {}
  for _, each in ipairs(a.tenants) do
    done[each[1]] = commit_tenant(a.session, each[1], each[2], each[3])
  end
  return {done = done}
end

-- Give tenants up, for others to take over at once.
function doing.release(a)
  for tenant, holder in pairs(a.tenants) do
    if redis.call('HGET', p .. 'owners', tenant) == holder then
      redis.call('HSET', p .. 'owners', tenant, '- ' .. string.match(holder, '(%S+)$'))
    end
  end
  if a.leave then
    redis.call('DEL', p .. 'session:' .. a.session)
    redis.call('HDEL', p .. 'sessions', a.session)
  end
  changed()
  return {}
end

function doing.kinds(a)
  return {kinds = kinds(p .. 'tenant:' .. a.tenant)}
end

function doing.load(a)
  return {rows = redis.call('HGETALL', p .. 'tenant:' .. a.tenant .. ':' .. a.kind)}
end

-- Which tenants these keys belong to; false for one that no tenant has.
function doing.find(a)
  local found = {}
  for at, key in ipairs(a.keys) do
    local owner = redis.call('HGET', p .. key[1], key[2])
    found[at] = owner and redis.call('HEXISTS', p .. 'owners', owner) == 1 and owner or false
  end
  return {found = found}
end

function doing.tenants(a)
  return {tenants = redis.call('ZRANGE', p .. 'tenants', 0, -1)}
end

local arguments = cjson.decode(ARGV[2])
p = arguments.prefix .. ':'
return cjson.encode(doing[ARGV[1]](arguments))
