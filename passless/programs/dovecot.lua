-- How Dovecot 2.4 asks passless who somebody is: on a unix socket, in the words of Dovecot's own dict protocol.
-- The SHA-256 of the password goes over the socket, never the password. The name stands last in a key, and what would break
-- a line is escaped, so that nothing that is typed reaches in front of it.

local unix = require "socket.unix"

local PATIENCE = 10 -- seconds
local ESCAPES = { ["\0"] = "\0010", ["\1"] = "\0011", ["\t"] = "\1t", ["\r"] = "\1r", ["\n"] = "\1n" }

local path
local connection

function script_init(settings)
  path = settings.socket
end

local function hang_up()
  if connection then
    connection:close()
    connection = nil
  end
end

local function connected()
  if connection then
    return true
  end
  local fresh = (unix.stream or unix)()
  fresh:settimeout(PATIENCE)
  if not fresh:connect(path) or not fresh:send("H3\t2\t0\t\tpassless\n") then
    fresh:close()
    return false
  end
  connection = fresh
  return true
end

local function asked_once(line)
  if not connected() or not connection:send(line) then
    hang_up()
    return nil
  end
  local answer = connection:receive("*l")
  if not answer then
    hang_up()
  end
  return answer
end

-- What passless says: true and a name, true alone for nobody, false where it cannot be asked now.
local function ask(key)
  local line = "L" .. key:gsub("[%z\1\t\r\n]", ESCAPES) .. "\t\n"
  local answer = asked_once(line) or asked_once(line) -- the server may have been started anew since
  if answer and answer:sub(1, 1) == "O" and #answer > 1 then
    return true, answer:sub(2)
  end
  return answer == "N", nil
end

function auth_password_verify(request, password)
  local heard, name = ask(request:var_expand("sign-in/%{protocol}/%{password | sha256 | hexlify}/%{remote_ip}/%{user}"))
  if not heard then
    return dovecot.auth.PASSDB_RESULT_INTERNAL_FAILURE, "passless cannot be asked now"
  end
  if not name then
    return dovecot.auth.PASSDB_RESULT_PASSWORD_MISMATCH, nil
  end
  return dovecot.auth.PASSDB_RESULT_OK, { user = name, userdb_user = name }
end

function auth_passdb_lookup(request)
  return dovecot.auth.PASSDB_RESULT_USER_UNKNOWN, nil -- nothing but a password signs anybody in here
end

function auth_userdb_lookup(request)
  local heard, name = ask("mailbox/" .. request.user)
  if not heard then
    return dovecot.auth.USERDB_RESULT_INTERNAL_FAILURE, "passless cannot be asked now"
  end
  if not name then
    return dovecot.auth.USERDB_RESULT_USER_UNKNOWN, nil
  end
  return dovecot.auth.USERDB_RESULT_OK, { user = name }
end
