-- Every statement, the same for each engine. Loaded by `statements.py`: a name, then one statement.
-- What stands in /* */ is for engines where writers do not take turns: the row is held until the transaction ends.

-- name: schema_version
SELECT schema_version FROM store

-- name: set_schema_version
UPDATE store SET schema_version = :version

-- name: read_store
SELECT id, totp_floor, restored_at, restored_told FROM store

-- name: lock_store
SELECT id FROM store /* FOR UPDATE */

-- name: make_store
INSERT INTO store (id, schema_version, created_at, totp_floor, restored_at, restored_told)
VALUES (:id, :version, :at, 0, NULL, 1)

-- name: mark_restored
UPDATE store SET restored_at = :at, restored_told = 0, totp_floor = :totp_floor

-- name: mark_unknown
UPDATE store SET restored_told = 2

-- name: tell_restored
UPDATE store SET restored_told = 1 WHERE restored_told <> 1

-- name: read_writer
SELECT commits, ended_bytes FROM writers WHERE id = :writer

-- name: keep_writer
INSERT INTO writers (id, commits, ended_bytes) VALUES (:writer, :commits, :ended_bytes)
ON CONFLICT (id) DO UPDATE SET commits = excluded.commits, ended_bytes = excluded.ended_bytes

-- name: add_writer
INSERT INTO writers (id, commits, ended_bytes) VALUES (:writer, 0, 0)

-- name: all_writers
SELECT id FROM writers

-- name: forget_other_writers
DELETE FROM writers WHERE id <> :writer

-- name: lock_writer
SELECT commits, ended_bytes FROM writers WHERE id = :writer /* FOR UPDATE */

-- name: read_era
SELECT era FROM writers WHERE id = :writer

-- name: begin_era
UPDATE writers SET era = era + 1

-- name: count_commit
UPDATE writers SET commits = commits + 1, ended_bytes = ended_bytes + :size WHERE id = :writer AND era = :era
RETURNING commits

-- name: read_account
SELECT id, document, version, checksum FROM accounts WHERE id = :id

-- name: read_named_account
SELECT id, document, version, checksum FROM accounts WHERE name_key = :name_key

-- name: read_account_by_credential
SELECT accounts.id, accounts.document, accounts.version, accounts.checksum
FROM credentials JOIN accounts ON accounts.id = credentials.account_id
WHERE credentials.credential_id = :credential_id

-- name: account_version
SELECT version FROM accounts WHERE id = :id

-- name: lock_account
SELECT version FROM accounts WHERE id = :id /* FOR UPDATE */

-- name: name_owner
SELECT id FROM accounts WHERE name_key = :name_key

-- name: page_accounts
SELECT id, document, version, checksum, name_key FROM accounts
WHERE name_key > :after AND name_key LIKE :pattern ESCAPE '!'
ORDER BY name_key LIMIT :page

-- name: page_accounts_of_a_group
SELECT accounts.id, accounts.document, accounts.version, accounts.checksum, account_groups.name_key FROM account_groups
JOIN accounts ON accounts.id = account_groups.account_id
WHERE account_groups.group_key = :group_key AND account_groups.name_key > :after
    AND account_groups.name_key LIKE :pattern ESCAPE '!'
ORDER BY account_groups.name_key LIMIT :page

-- name: accounts_with_a_pass
SELECT id FROM accounts WHERE pass_until IS NOT NULL

-- name: accounts_with_rights
SELECT accounts.id, document, version, checksum
FROM accounts JOIN (SELECT record_key FROM records WHERE kind = 'operator') AS rights ON rights.record_key = accounts.id

-- name: add_account
INSERT INTO accounts (id, name_key, version, document, checksum, created_at, finished, recovery_until, two_step, passwordless,
    pass_until)
VALUES (:id, :name_key, :version, :document, :checksum, :created_at, :finished, :recovery_until, :two_step, :passwordless,
    :pass_until)
ON CONFLICT DO NOTHING

-- name: change_account
UPDATE accounts SET version = :version, document = :document, checksum = :checksum,
    created_at = :created_at, finished = :finished, recovery_until = :recovery_until, two_step = :two_step,
    passwordless = :passwordless, pass_until = :pass_until
WHERE id = :id AND version = :expected AND checksum = :expected_checksum

-- name: rename_account
UPDATE accounts SET name_key = :name_key WHERE id = :id

-- name: delete_account
DELETE FROM accounts WHERE id = :id AND version = :expected

-- name: credential_owner
SELECT account_id FROM credentials WHERE credential_id = :credential_id

-- name: add_credential
INSERT INTO credentials (credential_id, account_id) VALUES (:credential_id, :account_id) ON CONFLICT DO NOTHING

-- name: remove_credential
DELETE FROM credentials WHERE credential_id = :credential_id

-- name: read_account_by_tag
SELECT accounts.id, accounts.document, accounts.version, accounts.checksum, app_password_tags.item, use_states.last_used_at
FROM app_password_tags JOIN accounts ON accounts.id = app_password_tags.account_id
LEFT JOIN use_states ON use_states.account_id = app_password_tags.account_id AND use_states.item = app_password_tags.item
WHERE app_password_tags.digest = :digest AND app_password_tags.key_id = :key_id

-- name: add_tag
INSERT INTO app_password_tags (key_id, digest, account_id, item) VALUES (:key_id, :digest, :account_id, :item)
ON CONFLICT DO NOTHING

-- name: remove_tag
DELETE FROM app_password_tags WHERE digest = :digest AND key_id = :key_id

-- name: address_owner
SELECT account_id FROM addresses WHERE address_key = :address_key

-- name: add_address
INSERT INTO addresses (address_key, account_id) VALUES (:address_key, :account_id) ON CONFLICT DO NOTHING

-- name: remove_address
DELETE FROM addresses WHERE address_key = :address_key

-- name: add_to_group
INSERT INTO account_groups (group_key, name_key, account_id) VALUES (:group_key, :name_key, :account_id)
ON CONFLICT (group_key, name_key) DO UPDATE SET account_id = excluded.account_id

-- name: remove_from_group
DELETE FROM account_groups WHERE group_key = :group_key AND name_key = :name_key AND account_id = :account_id

-- name: read_uses
SELECT item, last_used_at, totp_step, counter, backed_up, cloned FROM use_states WHERE account_id = :account_id ORDER BY item

-- name: keep_use
INSERT INTO use_states (account_id, item, last_used_at, totp_step, counter, backed_up, cloned)
SELECT :account_id, :item, :at, CAST(:totp_step AS bigint), :counter, :backed_up, :cloned FROM store
WHERE CAST(:totp_step AS bigint) IS NULL OR CAST(:totp_step AS bigint) > store.totp_floor
ON CONFLICT (account_id, item) DO UPDATE SET
    last_used_at = excluded.last_used_at,
    totp_step = COALESCE(excluded.totp_step, use_states.totp_step),
    counter = CASE WHEN excluded.counter > use_states.counter THEN excluded.counter ELSE use_states.counter END,
    backed_up = CASE WHEN :says_backed_up = 1 THEN excluded.backed_up ELSE use_states.backed_up END,
    cloned = CASE WHEN excluded.cloned = 1 THEN 1 ELSE use_states.cloned END
WHERE (excluded.totp_step IS NULL OR use_states.totp_step IS NULL OR use_states.totp_step < excluded.totp_step)
    AND (excluded.counter = 0 OR excluded.cloned = 1 OR use_states.counter < excluded.counter)

-- name: remove_uses
DELETE FROM use_states WHERE account_id = :account_id

-- name: read_session
SELECT document FROM sessions WHERE token_hash = :token_hash

-- name: lock_session
SELECT document FROM sessions WHERE id = :id /* FOR UPDATE */

-- name: read_sessions
SELECT document FROM sessions WHERE account_id = :account_id ORDER BY created_at DESC, id

-- name: add_session
INSERT INTO sessions (id, token_hash, account_id, created_at, ends_at, document)
VALUES (:id, :token_hash, :account_id, :created_at, :ends_at, :document)
ON CONFLICT DO NOTHING

-- name: change_session
UPDATE sessions SET token_hash = :token_hash, account_id = :account_id, created_at = :created_at, ends_at = :ends_at,
    document = :document
WHERE id = :id

-- name: remove_session
DELETE FROM sessions WHERE id = :id

-- name: remove_sessions
DELETE FROM sessions WHERE account_id = :account_id

-- name: remove_old_sessions
DELETE FROM sessions WHERE ends_at <= :at

-- name: remove_all_sessions
DELETE FROM sessions

-- name: read_ceremony
SELECT id, account_id, purpose, session_id, created_at, expires_at, state FROM ceremonies WHERE id = :id

-- name: add_ceremony
INSERT INTO ceremonies (id, account_id, purpose, session_id, created_at, expires_at, state)
VALUES (:id, :account_id, :purpose, :session_id, :created_at, :expires_at, :state)
ON CONFLICT DO NOTHING

-- name: consume_ceremony
DELETE FROM ceremonies WHERE id = :id AND expires_at > :at

-- name: remove_ceremonies
DELETE FROM ceremonies WHERE account_id = :account_id

-- name: remove_ceremonies_for
DELETE FROM ceremonies WHERE purpose = :purpose

-- name: remove_old_ceremonies
DELETE FROM ceremonies WHERE expires_at <= :at

-- name: remove_all_ceremonies
DELETE FROM ceremonies

-- name: count_attempt
INSERT INTO attempts (attempt_key, attempts, last_at, before_at) VALUES (:key, 1, :at, :at)
ON CONFLICT (attempt_key) DO UPDATE SET
    attempts = attempts.attempts + 1, before_at = attempts.last_at, last_at = excluded.last_at
RETURNING attempts, before_at

-- name: read_attempts
SELECT attempts, last_at FROM attempts WHERE attempt_key = :key

-- name: read_some_attempts
SELECT attempt_key, attempts, last_at FROM attempts WHERE attempt_key IN (:key_0, :key_1, :key_2, :key_3)

-- name: has_attempts
SELECT EXISTS (SELECT 1 FROM attempts WHERE attempt_key >= :key_0 AND attempt_key < :last_0)
    OR EXISTS (SELECT 1 FROM attempts WHERE attempt_key >= :key_1 AND attempt_key < :last_1)
    OR EXISTS (SELECT 1 FROM attempts WHERE attempt_key >= :key_2 AND attempt_key < :last_2)
    OR EXISTS (SELECT 1 FROM attempts WHERE attempt_key >= :key_3 AND attempt_key < :last_3)

-- name: known_attempts
SELECT attempt_key FROM attempts WHERE attempt_key IN (:key_0, :key_1, :key_2, :key_3, :key_4, :key_5, :key_6, :key_7,
    :key_8, :key_9, :key_10, :key_11, :key_12, :key_13, :key_14, :key_15)

-- name: remove_attempts
DELETE FROM attempts WHERE attempt_key = :key

-- name: remove_idle_attempts
DELETE FROM attempts WHERE last_at <= :idle_since AND attempts < :kept_from

-- name: remove_brief_attempts
DELETE FROM attempts WHERE attempt_key > :first AND attempt_key < :last AND last_at <= :idle_since

-- name: read_notices
SELECT id, account_id, made_at, code, message FROM notices WHERE account_id = :account_id ORDER BY made_at, id

-- name: add_notice
INSERT INTO notices (id, account_id, made_at, code, message) VALUES (:id, :account_id, :at, :code, :message)
ON CONFLICT DO NOTHING

-- name: remove_notice
DELETE FROM notices WHERE id = :id

-- name: remove_notices
DELETE FROM notices WHERE account_id = :account_id

-- name: read_record
SELECT kind, record_key, document, account_id, ends_at, version FROM records WHERE kind = :kind AND record_key = :key

-- name: page_records
SELECT kind, record_key, document, account_id, ends_at, version FROM records
WHERE kind = :kind AND record_key > :after
ORDER BY record_key LIMIT :page

-- name: page_records_of_an_account
SELECT kind, record_key, document, account_id, ends_at, version FROM records
WHERE account_id = :account_id AND kind = :kind AND record_key > :after
ORDER BY record_key LIMIT :page

-- name: add_record
INSERT INTO records (kind, record_key, account_id, ends_at, version, document)
VALUES (:kind, :key, :account_id, :ends_at, 1, :document)
ON CONFLICT DO NOTHING

-- name: change_record
UPDATE records SET account_id = :account_id, ends_at = :ends_at, version = version + 1, document = :document
WHERE kind = :kind AND record_key = :key AND version = :expected

-- name: remove_record
DELETE FROM records WHERE kind = :kind AND record_key = :key AND version = :expected

-- name: remove_records
DELETE FROM records WHERE account_id = :account_id

-- name: remove_named_record
DELETE FROM records WHERE kind = :kind AND record_key = :key

-- name: remove_records_of_kind
DELETE FROM records WHERE kind = :kind

-- name: remove_old_records
DELETE FROM records WHERE ends_at <= :at

-- name: remove_all_passing_records
DELETE FROM records WHERE ends_at IS NOT NULL AND kind NOT IN ('kept-name', 'renames', 'openid-session') -- those give nobody anything

-- name: add_ended
INSERT INTO ended (account_id, item, writer) VALUES (:account_id, :item, :writer) ON CONFLICT DO NOTHING

-- name: find_ended
SELECT item FROM ended WHERE item = :item LIMIT 1

-- name: read_ended
SELECT account_id, item FROM ended WHERE writer = :writer ORDER BY account_id, item

-- name: read_head
SELECT seq, hash, signed FROM heads WHERE account_id = :account_id

-- name: lock_head
SELECT seq, hash, signed FROM heads WHERE account_id = :account_id /* FOR UPDATE */

-- name: add_head
INSERT INTO heads (account_id, seq, hash, signed) VALUES (:account_id, :seq, :hash, 0)

-- name: move_head
UPDATE heads SET seq = :seq, hash = :hash WHERE account_id = :account_id

-- name: move_signed_head
UPDATE heads SET seq = :seq, hash = :hash, signed = 0 WHERE account_id = :account_id

-- name: any_unsigned
SELECT 1 FROM heads WHERE signed = 0 LIMIT 1

-- name: sign_heads
UPDATE heads SET signed = 1
WHERE account_id IN (SELECT account_id FROM heads WHERE signed = 0 /* FOR UPDATE SKIP LOCKED */)
RETURNING account_id, seq, hash

-- name: head_of_nobody
SELECT account_id, seq, hash FROM heads WHERE account_id = ''

-- name: page_heads
SELECT account_id, seq, hash FROM heads WHERE account_id > :after ORDER BY account_id LIMIT :page

-- name: add_event
INSERT INTO events (account_id, seq, made_at, actor, account, event, outcome, place, details, hash)
VALUES (:account_id, :seq, :at, :actor, :account, :event, :outcome, :place, :details, :hash)

-- name: event_hash
SELECT hash FROM events WHERE account_id = :account_id AND seq = :seq

-- name: page_events_of_an_account
SELECT seq, made_at, actor, account, account_id, event, outcome, place, details, hash FROM events
WHERE account_id = :account_id AND seq > :after AND made_at >= :since
ORDER BY seq LIMIT :page

-- name: page_events_backwards
SELECT seq, made_at, actor, account, account_id, event, outcome, place, details, hash FROM events
WHERE account_id = :account_id AND seq < :before
ORDER BY seq DESC LIMIT :page

-- name: page_events
SELECT seq, made_at, actor, account, account_id, event, outcome, place, details, hash FROM events
WHERE made_at >= :since AND (made_at, account_id, seq) > (:after_at, :after_account, :after_seq)
ORDER BY made_at, account_id, seq LIMIT :page

-- name: page_events_named
SELECT seq, made_at, actor, account, account_id, event, outcome, place, details, hash FROM events
WHERE made_at >= :since AND (made_at, account_id, seq) > (:after_at, :after_account, :after_seq)
AND :named LIKE '%,' || event || ',%'
ORDER BY made_at, account_id, seq LIMIT :page

-- name: page_events_by_chain
SELECT seq, made_at, actor, account, account_id, event, outcome, place, details, hash FROM events
WHERE (account_id, seq) > (:after_account, :after_seq)
ORDER BY account_id, seq LIMIT :page

-- name: last_checkpoint
SELECT number, body, signature FROM checkpoints ORDER BY number DESC LIMIT 1

-- name: read_checkpoint
SELECT number, body, signature FROM checkpoints WHERE number = :number

-- name: page_checkpoints
SELECT number, body, signature FROM checkpoints WHERE number > :after ORDER BY number LIMIT :page

-- name: add_checkpoint
INSERT INTO checkpoints (number, body, signature) VALUES (:number, :body, :signature)
