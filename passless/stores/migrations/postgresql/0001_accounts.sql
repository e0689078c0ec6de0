-- The first schema. Times are microseconds since 1970 (UTC), booleans 0 or 1, text is ordered by code point as everywhere.

CREATE TABLE store (
    id text COLLATE "C" NOT NULL PRIMARY KEY,
    schema_version bigint NOT NULL,
    created_at bigint NOT NULL,
    totp_floor bigint NOT NULL,
    restored_at bigint,
    restored_told smallint NOT NULL
);

-- One row for each process that writes at once: how many commits it made, how long its file of ended items is, and how often
-- old copies were made void as far as it has to know.
CREATE TABLE writers (
    id text COLLATE "C" NOT NULL PRIMARY KEY,
    commits bigint NOT NULL,
    ended_bytes bigint NOT NULL,
    era bigint NOT NULL DEFAULT 0
);

CREATE TABLE accounts (
    id text COLLATE "C" NOT NULL PRIMARY KEY,
    name_key text COLLATE "C" NOT NULL UNIQUE,
    version bigint NOT NULL,
    document text COLLATE "C" NOT NULL,
    checksum bigint NOT NULL,
    created_at bigint NOT NULL,
    finished smallint NOT NULL,
    recovery_until bigint,
    two_step smallint NOT NULL,
    passwordless smallint NOT NULL,
    pass_until bigint
);
CREATE INDEX accounts_with_a_pass ON accounts (pass_until) WHERE pass_until IS NOT NULL;

CREATE TABLE credentials (
    credential_id bytea NOT NULL PRIMARY KEY,
    account_id text COLLATE "C" NOT NULL
);

CREATE TABLE app_password_tags (
    key_id text COLLATE "C" NOT NULL,
    digest bytea NOT NULL,
    account_id text COLLATE "C" NOT NULL,
    item text COLLATE "C" NOT NULL,
    PRIMARY KEY (digest, key_id)
);

CREATE TABLE addresses (
    address_key text COLLATE "C" NOT NULL PRIMARY KEY,
    account_id text COLLATE "C" NOT NULL
);

CREATE TABLE use_states (
    account_id text COLLATE "C" NOT NULL,
    item text COLLATE "C" NOT NULL,
    last_used_at bigint NOT NULL,
    totp_step bigint,
    counter bigint NOT NULL,
    backed_up smallint NOT NULL,
    cloned smallint NOT NULL,
    PRIMARY KEY (account_id, item)
);

CREATE TABLE sessions (
    id text COLLATE "C" NOT NULL PRIMARY KEY,
    token_hash bytea NOT NULL UNIQUE,
    account_id text COLLATE "C" NOT NULL,
    created_at bigint NOT NULL,
    ends_at bigint NOT NULL,
    document text COLLATE "C" NOT NULL
);
CREATE INDEX sessions_of_an_account ON sessions (account_id);
CREATE INDEX sessions_by_end ON sessions (ends_at);

CREATE TABLE ceremonies (
    id text COLLATE "C" NOT NULL PRIMARY KEY,
    account_id text COLLATE "C" NOT NULL,
    purpose text COLLATE "C" NOT NULL,
    session_id text COLLATE "C" NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    state bytea NOT NULL
);
CREATE INDEX ceremonies_of_an_account ON ceremonies (account_id);
CREATE INDEX ceremonies_by_end ON ceremonies (expires_at);

CREATE TABLE attempts (
    attempt_key text COLLATE "C" NOT NULL PRIMARY KEY,
    attempts bigint NOT NULL,
    last_at bigint NOT NULL,
    before_at bigint NOT NULL
);

CREATE TABLE notices (
    id text COLLATE "C" NOT NULL PRIMARY KEY,
    account_id text COLLATE "C" NOT NULL,
    made_at bigint NOT NULL,
    code text COLLATE "C" NOT NULL,
    message text COLLATE "C" NOT NULL
);
CREATE INDEX notices_of_an_account ON notices (account_id);

CREATE TABLE ended (
    account_id text COLLATE "C" NOT NULL,
    item text COLLATE "C" NOT NULL,
    writer text COLLATE "C" NOT NULL,
    PRIMARY KEY (account_id, item)
);

-- The audit log: a chain for each account ('' for what belongs to none), kept when the account is deleted.
CREATE TABLE events (
    account_id text COLLATE "C" NOT NULL,
    seq bigint NOT NULL,
    made_at bigint NOT NULL,
    actor text COLLATE "C" NOT NULL,
    account text COLLATE "C" NOT NULL,
    event text COLLATE "C" NOT NULL,
    outcome text COLLATE "C" NOT NULL,
    place text COLLATE "C" NOT NULL,
    details text COLLATE "C" NOT NULL,
    hash bytea NOT NULL,
    PRIMARY KEY (account_id, seq)
);
CREATE INDEX events_by_time ON events (made_at, account_id, seq);

CREATE TABLE heads (
    account_id text COLLATE "C" NOT NULL PRIMARY KEY,
    seq bigint NOT NULL,
    hash bytea NOT NULL,
    signed smallint NOT NULL
);
CREATE INDEX heads_that_moved ON heads (account_id) WHERE signed = 0;

CREATE TABLE checkpoints (
    number bigint NOT NULL PRIMARY KEY,
    body text COLLATE "C" NOT NULL,
    signature bytea NOT NULL
);

-- What is kept beside the accounts: invitations, clients and grants of OAuth, answers to be repeated.
CREATE TABLE records (
    kind text COLLATE "C" NOT NULL,
    record_key text COLLATE "C" NOT NULL,
    account_id text COLLATE "C" NOT NULL,
    ends_at bigint,
    version bigint NOT NULL,
    document bytea NOT NULL,
    PRIMARY KEY (kind, record_key)
);
CREATE INDEX records_of_an_account ON records (account_id, kind, record_key);
CREATE INDEX records_by_end ON records (ends_at) WHERE ends_at IS NOT NULL;

CREATE INDEX ended_by_item ON ended (item);

