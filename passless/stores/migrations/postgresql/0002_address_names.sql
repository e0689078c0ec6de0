-- Until now every e-mail address stood for the name of its account, whoever had typed it. From now on an account says which of
-- them do; those of before do not say it, so that nobody stays found by an address that they only claimed.

DELETE FROM addresses;
