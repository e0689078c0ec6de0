-- Which accounts are in a group, in the order of their names, so that an operator over groups reads nobody else. The rows of
-- accounts that are there already are added by `group_rows.fill`, which knows when two names are the same.

CREATE TABLE account_groups (
    group_key text COLLATE "C" NOT NULL,
    name_key text COLLATE "C" NOT NULL,
    account_id text COLLATE "C" NOT NULL,
    PRIMARY KEY (group_key, name_key)
);
