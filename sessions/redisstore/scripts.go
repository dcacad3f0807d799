package redisstore

// The rules of writing a session:
//
//  1. Redis runs a script as one step. Each looks at what is there and changes it in the same step.
//  2. The value that Django reads is the session. Our note says more about it and never keeps it alive.
//  3. A version is the value itself: a write by Django counts too.
//
// KEYS are the value, the note and the tombstone of a session, and again those of its successor. ARGV are the version (or nothing),
// the new value, the milliseconds it lives, and the note.

// What a script that writes answers.
const (
	done    = 0
	absent  = 1
	changed = 2
	taken   = 3
)

const loadScript = `
local value = redis.call('GET', KEYS[1])
if not value then return {} end
return {value, redis.call('PTTL', KEYS[1]), redis.call('HMGET', KEYS[2], 'expires', 'created', 'seen', 'owner', 'address', 'agent')}`

// expected answers unless the session is there and as it was loaded.
const expected = `
local value = redis.call('GET', KEYS[1])
if not value then return 1 end
if ARGV[1] ~= '' and value ~= ARGV[1] then return 2 end`

// put stores a session that has not expired.
const put = `
local function put(value, note)
	redis.call('DEL', value, note)
	if tonumber(ARGV[3]) <= 0 then return end
	redis.call('SET', value, ARGV[2], 'PX', ARGV[3])
	redis.call('HSET', note, 'expires', ARGV[4], 'created', ARGV[5], 'seen', ARGV[6], 'owner', ARGV[7], 'address', ARGV[8], 'agent', ARGV[9])
	redis.call('PEXPIRE', note, ARGV[3])
end`

const saveScript = put + expected + `
put(KEYS[1], KEYS[2])
return 0`

const createScript = put + `
if redis.call('EXISTS', KEYS[1]) == 1 then return 3 end
put(KEYS[1], KEYS[2])
return 0`

const rotateScript = put + expected + `
if redis.call('EXISTS', KEYS[4]) == 1 then return 3 end
redis.call('DEL', KEYS[1], KEYS[2])
put(KEYS[4], KEYS[5])
redis.call('SET', KEYS[3], ARGV[10], 'PX', ARGV[11])
return 0`

// deleteScript answers what the session had been rotated into.
const deleteScript = `
redis.call('DEL', KEYS[1], KEYS[2])
return redis.call('GET', KEYS[3]) or ''`

const touchScript = `
if redis.call('EXISTS', KEYS[1]) == 0 then return 1 end
if tonumber(ARGV[1]) <= 0 then
	redis.call('DEL', KEYS[1], KEYS[2])
	return 0
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
redis.call('HSET', KEYS[2], 'expires', ARGV[2], 'seen', ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[1])
return 0`

const rotatedScript = `return redis.call('EXISTS', KEYS[3])`
