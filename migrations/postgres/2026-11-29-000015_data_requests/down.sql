DROP TABLE delivered_cases;
DROP TABLE data_requests;
