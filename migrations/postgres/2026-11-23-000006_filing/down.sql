DROP POLICY file ON cases;
DROP POLICY file ON case_versions;
DROP POLICY file ON findings;
