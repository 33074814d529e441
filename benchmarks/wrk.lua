-- What wrk sends: one request after the other, each to a number of its own, and a look at every answer.
-- Arguments: path, body with NUMBER in it, first number, text that a right answer holds, headers (name, value, ...).
local path, body = "", {}
local headers = {}
local number, expected, wrong = 0, "", 0
local threads = {}

function setup(thread)
   table.insert(threads, thread)
end

function init(args)
   path = args[1]
   local at, to = string.find(args[2], "NUMBER", 1, true)
   body = {string.sub(args[2], 1, at - 1), string.sub(args[2], to + 1)}
   number = tonumber(args[3])
   expected = args[4]
   headers["Host"] = "127.0.0.1"
   for i = 5, #args, 2 do
      headers[args[i]] = args[i + 1]
   end
   wrong_answers = 0
end

function request()
   number = number + 1
   return wrk.format("POST", path, headers, body[1] .. string.format("%010.0f", number) .. body[2])
end

function response(status, answered, body)
   if not string.find(body, expected, 1, true) then
      wrong_answers = wrong_answers + 1
   end
end

function done(summary, latency, requests)
   for _, thread in ipairs(threads) do
      wrong = wrong + thread:get("wrong_answers")
   end
   local errors = summary.errors
   local failed = errors.connect + errors.read + errors.write + errors.timeout
   io.write(string.format('{"answered": %d, "microseconds": %d, "wrong": %d, "failed": %d}\n',
      summary.requests, summary.duration, wrong, failed))
end
