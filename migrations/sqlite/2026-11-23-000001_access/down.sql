DROP TABLE sessions;
DROP TABLE sign_in_links;
DROP TABLE api_keys;
DROP TABLE centre_years;
DROP TABLE centres;
