-- The first schema. Times are microseconds since 1970 (UTC), booleans 0 or 1.

CREATE TABLE store (
    id text NOT NULL PRIMARY KEY,
    schema_version bigint NOT NULL,
    created_at bigint NOT NULL,
    totp_floor bigint NOT NULL,
    restored_at bigint,
    restored_told smallint NOT NULL
);

-- One row for each state folder: how many commits were made through it, and how long its file of ended items is.
CREATE TABLE writers (
    id text NOT NULL PRIMARY KEY,
    commits bigint NOT NULL,
    ended_bytes bigint NOT NULL
) WITHOUT ROWID;

CREATE TABLE accounts (
    id text NOT NULL PRIMARY KEY,
    name_key text NOT NULL UNIQUE,
    version bigint NOT NULL,
    document text NOT NULL,
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
    credential_id blob NOT NULL PRIMARY KEY,
    account_id text NOT NULL
) WITHOUT ROWID;

CREATE TABLE app_password_tags (
    key_id text NOT NULL,
    digest blob NOT NULL,
    account_id text NOT NULL,
    item text NOT NULL,
    PRIMARY KEY (digest, key_id)
) WITHOUT ROWID;

CREATE TABLE addresses (
    address_key text NOT NULL PRIMARY KEY,
    account_id text NOT NULL
) WITHOUT ROWID;

CREATE TABLE use_states (
    account_id text NOT NULL,
    item text NOT NULL,
    last_used_at bigint NOT NULL,
    totp_step bigint,
    counter bigint NOT NULL,
    backed_up smallint NOT NULL,
    cloned smallint NOT NULL,
    PRIMARY KEY (account_id, item)
) WITHOUT ROWID;

CREATE TABLE sessions (
    id text NOT NULL PRIMARY KEY,
    token_hash blob NOT NULL UNIQUE,
    account_id text NOT NULL,
    created_at bigint NOT NULL,
    ends_at bigint NOT NULL,
    document text NOT NULL
) WITHOUT ROWID;
CREATE INDEX sessions_of_an_account ON sessions (account_id);
CREATE INDEX sessions_by_end ON sessions (ends_at);

CREATE TABLE ceremonies (
    id text NOT NULL PRIMARY KEY,
    account_id text NOT NULL,
    purpose text NOT NULL,
    session_id text NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    state blob NOT NULL
) WITHOUT ROWID;
CREATE INDEX ceremonies_of_an_account ON ceremonies (account_id);
CREATE INDEX ceremonies_by_end ON ceremonies (expires_at);

CREATE TABLE attempts (
    attempt_key text NOT NULL PRIMARY KEY,
    attempts bigint NOT NULL,
    last_at bigint NOT NULL,
    before_at bigint NOT NULL
) WITHOUT ROWID;

CREATE TABLE notices (
    id text NOT NULL PRIMARY KEY,
    account_id text NOT NULL,
    made_at bigint NOT NULL,
    code text NOT NULL,
    message text NOT NULL
) WITHOUT ROWID;
CREATE INDEX notices_of_an_account ON notices (account_id);

CREATE TABLE ended (
    account_id text NOT NULL,
    item text NOT NULL,
    writer text NOT NULL,
    PRIMARY KEY (account_id, item)
) WITHOUT ROWID;

-- The audit log: a chain for each account ('' for what belongs to none), kept when the account is deleted.
CREATE TABLE events (
    account_id text NOT NULL,
    seq bigint NOT NULL,
    made_at bigint NOT NULL,
    actor text NOT NULL,
    account text NOT NULL,
    event text NOT NULL,
    outcome text NOT NULL,
    place text NOT NULL,
    details text NOT NULL,
    hash blob NOT NULL,
    PRIMARY KEY (account_id, seq)
) WITHOUT ROWID;
CREATE INDEX events_by_time ON events (made_at);

CREATE TABLE heads (
    account_id text NOT NULL PRIMARY KEY,
    seq bigint NOT NULL,
    hash blob NOT NULL,
    signed smallint NOT NULL
) WITHOUT ROWID;
CREATE INDEX heads_that_moved ON heads (signed) WHERE signed = 0;

CREATE TABLE checkpoints (
    number bigint NOT NULL PRIMARY KEY,
    body text NOT NULL,
    signature blob NOT NULL
);
