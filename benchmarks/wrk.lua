-- What wrk sends: createVoiceNotification, each to a number of its own, and a look at every answer.
-- Arguments: token, first number, text that a right answer holds.
local path = "/apiaccess/rest/voiceNotification/v2/createVoiceNotification"
local headers = {}
local number, expected, wrong = 0, "", 0
local threads = {}

function setup(thread)
   table.insert(threads, thread)
end

function init(args)
   headers["Host"] = "127.0.0.1"
   headers["Content-Type"] = "application/json"
   headers["Authorization"] = "Bearer " .. args[1]
   headers["X-APP-Key"] = "cec-app-key"
   number = tonumber(args[2])
   expected = args[3]
   wrong_answers = 0
end

function request()
   number = number + 1
   local body = string.format(
      '{"called":"%.0f","playList":[{"voiceId":"100001","templateParams":["100","200"]}],"playTimes":1,'
         .. '"callerPresent":"2222201"}', number)
   return wrk.format("POST", path, headers, body)
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
