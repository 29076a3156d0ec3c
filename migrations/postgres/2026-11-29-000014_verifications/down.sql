DROP TABLE verification_cases;
DROP TABLE verifications;
