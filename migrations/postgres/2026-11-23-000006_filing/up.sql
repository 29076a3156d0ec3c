-- New cases of several centres are written by one statement: the context names those centres, and only rows of theirs can
-- be added in it. It sees and changes nothing.

CREATE POLICY file ON cases FOR INSERT WITH CHECK (
    current_setting('registry.role', true) = 'filing'
    AND centre_id = ANY (string_to_array(current_setting('registry.centre', true), ','))
);
CREATE POLICY file ON case_versions FOR INSERT WITH CHECK (
    current_setting('registry.role', true) = 'filing'
    AND centre_id = ANY (string_to_array(current_setting('registry.centre', true), ','))
);
CREATE POLICY file ON findings FOR INSERT WITH CHECK (
    current_setting('registry.role', true) = 'filing'
    AND centre_id = ANY (string_to_array(current_setting('registry.centre', true), ','))
);
