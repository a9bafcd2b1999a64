"""The scripts by which control writes snapshots, the index and change events into Redis.

Each is atomic in Redis, so that several replicas may publish at once and any of them may die between two lines of
its own: a lower revision never replaces a higher one, numbers of events have no holes, and an index of an epoch
exists only once everything was published in that epoch. What stands under our names in a wrong form is overwritten.

A revision that Redis holds is not signed: whoever writes there could claim one that nothing ever exceeds. So where
something newer seems to stand, control is shown it and reads the signed document (`newer.py`); one that it does not
believe it names by its SHA-1, and only exactly that one is then overwritten.
"""

from typing import Final

STORE_GATEWAY: Final = """
-- KEYS: snapshot, gone. ARGV: revision, document, ttl, SHA-1 of the document that is disbelieved ('' for none), most
-- bytes of a document. Answers 1 when stored, 0 when the gateway is gone, {SHA-1, document} when a newer one seems to
-- stand; a document that is too large to be ours is shown as ''.
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then redis.call('DEL', KEYS[1]) end
local held = tonumber(redis.call('HGET', KEYS[1], 'revision') or '')
if held and held > tonumber(ARGV[1]) then
    local document = redis.call('HGET', KEYS[1], 'document') or ''
    local named = redis.sha1hex(document)
    if named ~= ARGV[4] then
        if #document > tonumber(ARGV[5]) then document = '' end
        return {named, document}
    end
end
redis.call('HSET', KEYS[1], 'revision', ARGV[1], 'document', ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
"""

REMOVE_GATEWAY: Final = """
-- KEYS: snapshot, gone. ARGV: ttl of the second.
redis.call('SET', KEYS[2], '1', 'EX', ARGV[1])
return redis.call('DEL', KEYS[1])
"""

LOOK: Final = """
-- KEYS: head, index. Answers {epoch, number, epoch of the index}; nothing when there is no head that we could have
-- written.
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then return {} end
local head = redis.call('HMGET', KEYS[1], 'epoch', 'number')
local holds = string.match(head[1] or '', '^%w+$') and string.match(head[2] or '', '^%d+$') and #head[2] < 14
if not holds then return {} end
local indexed = false
if redis.call('TYPE', KEYS[2]).ok == 'hash' then indexed = redis.call('HGET', KEYS[2], 'epoch') end
return {head[1], head[2], indexed or ''}
"""

BEGIN_EPOCH: Final = """
-- KEYS: head. ARGV: new epoch, ttl, the epoch to end ('' where none is known). Answers the epoch that holds now.
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then redis.call('DEL', KEYS[1]) end
local head = redis.call('HMGET', KEYS[1], 'epoch', 'number')
local holds = string.match(head[1] or '', '^%w+$') and string.match(head[2] or '', '^%d+$') and #head[2] < 14
if holds and head[1] ~= ARGV[3] then return head[1] end
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'number', 0)
redis.call('EXPIRE', KEYS[1], ARGV[2])
return ARGV[1]
"""

ANNOUNCE: Final = """
-- Replaces the index, appends events and deletes what they make untrue, all or nothing.
-- KEYS: head, changes, index, then keys to delete.
-- ARGV: epoch, number before the first event, '1' when everything was published before, index revision, index
--       document ('' for none), ttl of the index, length of the stream, ttl of stream and head, SHA-1 of the index
--       that is disbelieved ('' for none), then the events.
-- Answers 'done'; 'epoch' when another one holds; 'number' when others appended; 'incomplete' when this epoch has no
-- index yet and somebody must publish everything first; 'index' when a newer one seems to stand (nothing was done);
-- 'stream' when it takes no more events: it and its epoch are ended, and a new one must begin.
local head = redis.call('HMGET', KEYS[1], 'epoch', 'number')
if head[1] ~= ARGV[1] then return 'epoch' end
if head[2] ~= ARGV[2] then return 'number' end
if redis.call('TYPE', KEYS[3]).ok ~= 'hash' then redis.call('DEL', KEYS[3]) end
local index = redis.call('HMGET', KEYS[3], 'epoch', 'revision')
local current = index[1] == ARGV[1]
if not current and ARGV[3] ~= '1' then return 'incomplete' end
local held = tonumber(index[2] or '')
if ARGV[5] ~= '' then
    if current and held and held > tonumber(ARGV[4]) then
        local document = redis.call('HGET', KEYS[3], 'document') or ''
        if redis.sha1hex(document) ~= ARGV[9] then return 'index' end
    end
    redis.call('HSET', KEYS[3], 'epoch', ARGV[1], 'revision', ARGV[4], 'document', ARGV[5])
    redis.call('EXPIRE', KEYS[3], ARGV[6])
end
for i = 4, #KEYS do redis.call('DEL', KEYS[i]) end
if #ARGV > 9 and redis.call('TYPE', KEYS[2]).ok ~= 'stream' then redis.call('DEL', KEYS[2]) end
local number = tonumber(ARGV[2])
for i = 10, #ARGV do
    number = number + 1
    local added = redis.pcall('XADD', KEYS[2], 'MAXLEN', '~', ARGV[7], '*', 'n', number, 'e', ARGV[i])
    if type(added) == 'table' and added.err then
        -- Not the stream's fault: Redis takes no writes now, and will again.
        for _, passing in ipairs({'OOM', 'READONLY', 'MISCONF', 'NOREPLICAS'}) do
            if string.find(added.err, passing, 1, true) then return added end
        end
        redis.call('DEL', KEYS[1], KEYS[2])
        return 'stream'
    end
end
redis.call('HSET', KEYS[1], 'number', number)
redis.call('EXPIRE', KEYS[1], ARGV[8])
redis.call('EXPIRE', KEYS[2], ARGV[8])
return 'done'
"""

SHOW_INDEX: Final = """
-- KEYS: index. ARGV: most bytes of a document. Answers {SHA-1, document}; one too large to be ours is shown as ''.
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then return {'', ''} end
local document = redis.call('HGET', KEYS[1], 'document') or ''
local named = redis.sha1hex(document)
if #document > tonumber(ARGV[1]) then document = '' end
return {named, document}
"""

SHOW_WORKERS: Final = """
-- KEYS: workers by time. ARGV: how the name of one's key begins, most workers, most bytes of what one says. Answers
-- {worker, what it said, ...}, whoever spoke last first.
if redis.call('TYPE', KEYS[1]).ok ~= 'zset' then return {} end
local shown = {}
for _, worker in ipairs(redis.call('ZREVRANGE', KEYS[1], 0, ARGV[2] - 1)) do
    local key = ARGV[1] .. worker
    local is_text = #worker < 100 and redis.call('TYPE', key).ok == 'string'
    if is_text and redis.call('STRLEN', key) <= tonumber(ARGV[3]) then
        shown[#shown + 1] = worker
        shown[#shown + 1] = redis.call('GET', key)
    end
end
return shown
"""

BURY_SESSION: Final = """
-- KEYS: tombstone. ARGV: ttl.
redis.call('SET', KEYS[1], '1', 'EX', ARGV[1])
return 1
"""
