//! One set of tables for both dialects; `migrations/` is where they are made.

diesel::table! {
    __diesel_schema_migrations (version) {
        version -> Text,
    }
}

diesel::table! {
    centres (centre_id) {
        centre_id -> Text,
        name -> Text,
        country -> Nullable<Text>,
        active -> Bool,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    centre_years (centre_id, year) {
        centre_id -> Text,
        year -> Integer,
        elements -> Text,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    centre_revision (id) {
        id -> Integer,
        revision -> BigInt,
    }
}

diesel::table! {
    api_keys (key_id) {
        key_id -> Text,
        prefix -> Text,
        secret_sha256 -> Binary,
        label -> Text,
        role -> Text,
        centre_id -> Nullable<Text>,
        created_at -> Timestamp,
        created_by -> Text,
        expires_at -> Nullable<Timestamp>,
        revoked_at -> Nullable<Timestamp>,
        replaced_by -> Nullable<Text>,
    }
}

diesel::table! {
    sign_in_links (token_sha256) {
        token_sha256 -> Binary,
        user_name -> Text,
        role -> Text,
        centre_id -> Nullable<Text>,
        created_at -> Timestamp,
        created_by -> Text,
        expires_at -> Timestamp,
        reusable -> Bool,
        used_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    sessions (token_sha256) {
        token_sha256 -> Binary,
        user_name -> Text,
        role -> Text,
        centre_id -> Nullable<Text>,
        created_at -> Timestamp,
        last_seen_at -> Timestamp,
        expires_at -> Timestamp,
        ended_at -> Nullable<Timestamp>,
        person_id -> Nullable<Text>,
    }
}

diesel::table! {
    people (person_id) {
        person_id -> Text,
        login -> Text,
        name -> Text,
        role -> Text,
        centre_id -> Nullable<Text>,
        state -> Text,
        password -> Nullable<Text>,
        totp_secret -> Nullable<Binary>,
        totp_step -> Nullable<BigInt>,
        failures -> BigInt,
        locked_until -> Nullable<Timestamp>,
        created_at -> Timestamp,
        created_by -> Text,
        last_sign_in_at -> Nullable<Timestamp>,
        oidc_issuer -> Nullable<Text>,
        oidc_subject -> Nullable<Text>,
    }
}

diesel::table! {
    person_links (token_sha256) {
        token_sha256 -> Binary,
        person_id -> Text,
        created_at -> Timestamp,
        created_by -> Text,
        expires_at -> Timestamp,
        used_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    recovery_codes (person_id, code_sha256) {
        person_id -> Text,
        code_sha256 -> Binary,
        used_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    master_keys (key_id) {
        key_id -> Text,
        check_value -> Binary,
        since -> Timestamp,
    }
}

diesel::table! {
    secrets (name) {
        name -> Text,
        wrapped -> Binary,
    }
}

diesel::table! {
    audit_events (seq) {
        seq -> BigInt,
        at -> Timestamp,
        actor -> Text,
        role -> Text,
        action -> Text,
        centre_id -> Nullable<Text>,
        case_id -> Nullable<Text>,
        subject -> Nullable<Text>,
        old_version -> Nullable<BigInt>,
        new_version -> Nullable<BigInt>,
        reason -> Nullable<Text>,
        request_id -> Nullable<Text>,
        details -> Text,
        previous_hash -> Binary,
        hash -> Binary,
    }
}

diesel::table! {
    audit_head (id) {
        id -> Integer,
        seq -> BigInt,
        hash -> Binary,
        mac -> Binary,
    }
}

diesel::table! {
    pseudonym_claims (pseudonym_mac) {
        pseudonym_mac -> Binary,
        centre_id -> Text,
        case_id -> Text,
        claimed_at -> Timestamp,
    }
}

diesel::table! {
    cases (centre_id, case_id) {
        centre_id -> Text,
        case_id -> Text,
        pseudonym -> Nullable<Text>,
        status -> Text,
        locked_through -> Nullable<Date>,
        version -> BigInt,
        state -> BigInt,
        schema_version -> Text,
        histology_code -> Nullable<Text>,
        eligibility_class -> Nullable<Text>,
        t0 -> Nullable<Text>,
        errors -> BigInt,
        warnings -> BigInt,
        wrapped_key -> Nullable<Binary>,
        created_at -> Timestamp,
        updated_at -> Timestamp,
        withdrawal_mode -> Nullable<Text>,
        withdrawn_on -> Nullable<Date>,
        reuse_ended_on -> Nullable<Date>,
    }
}

diesel::table! {
    case_versions (centre_id, case_id, version) {
        centre_id -> Text,
        case_id -> Text,
        version -> BigInt,
        schema_version -> Text,
        status -> Text,
        document -> Nullable<Binary>,
        content_hash -> Binary,
        histology_code -> Nullable<Text>,
        eligibility_class -> Nullable<Text>,
        t0 -> Nullable<Text>,
        errors -> BigInt,
        warnings -> BigInt,
        submitted_at -> Timestamp,
        actor -> Text,
        reason -> Nullable<Text>,
        request_id -> Nullable<Text>,
        change_seq -> BigInt,
        superseded_seq -> Nullable<BigInt>,
    }
}

diesel::table! {
    findings (centre_id, case_id, version, position) {
        centre_id -> Text,
        case_id -> Text,
        version -> BigInt,
        position -> Integer,
        identity -> Text,
        code -> Text,
        severity -> Text,
        rule -> Nullable<Text>,
        rule_version -> Nullable<Text>,
        pointer -> Text,
        message -> Text,
        elements -> Text,
        dropped_seq -> Nullable<BigInt>,
    }
}

diesel::table! {
    finding_answers (centre_id, case_id, identity) {
        centre_id -> Text,
        case_id -> Text,
        identity -> Text,
        version -> BigInt,
        reason -> Text,
        actor -> Text,
        answered_at -> Timestamp,
    }
}

diesel::table! {
    transfers (centre_id, case_id, number) {
        centre_id -> Text,
        case_id -> Text,
        number -> BigInt,
        from_centre -> Text,
        to_centre -> Text,
        effective_on -> Date,
        transferred_at -> Timestamp,
        change_seq -> BigInt,
        reason -> Text,
        actor -> Text,
    }
}

diesel::table! {
    queries (centre_id, query_id) {
        centre_id -> Text,
        query_id -> Text,
        case_id -> Text,
        raised -> Text,
        identity -> Nullable<Text>,
        rule -> Nullable<Text>,
        rule_version -> Nullable<Text>,
        pointer -> Nullable<Text>,
        elements -> Text,
        version -> BigInt,
        last_version -> Nullable<BigInt>,
        state -> Text,
        reopened -> BigInt,
        opened_at -> Timestamp,
        opened_by -> Text,
        asked_at -> Timestamp,
        answered_at -> Nullable<Timestamp>,
        closed_at -> Nullable<Timestamp>,
        closed_by -> Nullable<Text>,
        closing -> Nullable<Text>,
        messages -> BigInt,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    query_messages (centre_id, query_id, position) {
        centre_id -> Text,
        query_id -> Text,
        position -> BigInt,
        step -> Text,
        actor -> Text,
        role -> Text,
        at -> Timestamp,
        words -> Nullable<Binary>,
    }
}

diesel::table! {
    idempotency (centre_id, actor, idempotency_key) {
        centre_id -> Text,
        actor -> Text,
        idempotency_key -> Text,
        fingerprint -> Binary,
        answer -> Nullable<Binary>,
        case_id -> Nullable<Text>,
        claimed_at -> Timestamp,
        expires_at -> Timestamp,
    }
}

diesel::table! {
    tasks (centre_id, task_id) {
        centre_id -> Text,
        task_id -> Text,
        kind -> Text,
        other_centre_id -> Text,
        case_id -> Text,
        occurrences -> BigInt,
        opened_at -> Timestamp,
        closed_at -> Nullable<Timestamp>,
        closed_by -> Nullable<Text>,
        resolution -> Nullable<Text>,
    }
}

diesel::table! {
    jobs (centre_id, job_id) {
        centre_id -> Text,
        job_id -> Text,
        kind -> Text,
        dry_run -> Bool,
        state -> Text,
        counts -> Text,
        problem -> Nullable<Text>,
        actor -> Text,
        started_at -> Timestamp,
        told_at -> Timestamp,
        ended_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    job_reports (centre_id, job_id, part) {
        centre_id -> Text,
        job_id -> Text,
        part -> BigInt,
        lines -> Binary,
    }
}

diesel::table! {
    import_mappings (centre_id, name) {
        centre_id -> Text,
        name -> Text,
        content -> Text,
        updated_by -> Text,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    runs (number) {
        number -> BigInt,
        status -> Text,
        cutoff_date -> Date,
        watermark -> BigInt,
        parameters -> Text,
        summary -> Nullable<Text>,
        started_at -> Timestamp,
        started_by -> Text,
        alive_at -> Timestamp,
        finished_at -> Nullable<Timestamp>,
        published_at -> Nullable<Timestamp>,
        published_by -> Nullable<Text>,
    }
}

diesel::table! {
    evaluations (centre_id, case_id, evaluation_key) {
        centre_id -> Text,
        case_id -> Text,
        evaluation_key -> Text,
        version -> BigInt,
        payload -> Binary,
    }
}

diesel::table! {
    run_evaluations (centre_id, run, case_id) {
        centre_id -> Text,
        run -> BigInt,
        case_id -> Text,
        version -> BigInt,
        evaluation_key -> Text,
    }
}

diesel::table! {
    results (run, kind, result_key) {
        run -> BigInt,
        kind -> Text,
        result_key -> Text,
        body -> Text,
    }
}

diesel::table! {
    releases (release_id) {
        release_id -> Text,
        run -> BigInt,
        title -> Text,
        manifest -> Text,
        sha256 -> Text,
        bytes -> BigInt,
        created_at -> Timestamp,
        created_by -> Text,
    }
}

diesel::table! {
    verifications (verification_id) {
        verification_id -> Text,
        seed -> Text,
        share -> BigInt,
        through -> Date,
        drawn_at -> Timestamp,
        drawn_by -> Text,
    }
}

diesel::table! {
    verification_cases (centre_id, verification_id, case_id) {
        centre_id -> Text,
        verification_id -> Text,
        case_id -> Text,
        version -> BigInt,
        document -> Nullable<Binary>,
        reentered_at -> Nullable<Timestamp>,
        reentered_by -> Nullable<Text>,
    }
}

diesel::table! {
    data_requests (request_id) {
        request_id -> Text,
        line -> Text,
        release_id -> Text,
        title -> Text,
        purpose -> Text,
        asked -> Text,
        status -> Text,
        filed_at -> Timestamp,
        filed_by -> Text,
        approved -> Nullable<Text>,
        expires_on -> Nullable<Date>,
        decided_at -> Nullable<Timestamp>,
        decided_by -> Nullable<Text>,
        reason -> Nullable<Text>,
        revoked_at -> Nullable<Timestamp>,
        revoked_by -> Nullable<Text>,
        revoked_for -> Nullable<Text>,
        downloads -> BigInt,
        sha256 -> Nullable<Text>,
        bytes -> Nullable<BigInt>,
        manifest -> Nullable<Text>,
    }
}

diesel::table! {
    delivered_cases (case_id, request_id) {
        case_id -> Text,
        request_id -> Text,
    }
}

diesel::table! {
    released_cases (case_id, release_id) {
        case_id -> Text,
        release_id -> Text,
    }
}

diesel::table! {
    signal_steps (centre_id, measure, number) {
        centre_id -> Text,
        measure -> Text,
        number -> BigInt,
        step -> Text,
        reason -> Nullable<Text>,
        run -> BigInt,
        taken_at -> Timestamp,
        taken_by -> Text,
    }
}

diesel::table! {
    indicator_lists (number) {
        number -> BigInt,
        measures -> Text,
        reason -> Text,
        chosen_at -> Timestamp,
        chosen_by -> Text,
    }
}

diesel::table! {
    freezings (release_id) {
        release_id -> Text,
        run -> BigInt,
        title -> Text,
        done -> BigInt,
        total -> BigInt,
        problem -> Nullable<Text>,
        started_at -> Timestamp,
        started_by -> Text,
        told_at -> Timestamp,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    centres,
    centre_revision,
    centre_years,
    api_keys,
    sign_in_links,
    sessions,
    people,
    person_links,
    recovery_codes,
    master_keys,
    secrets,
    audit_events,
    audit_head,
    pseudonym_claims,
    cases,
    case_versions,
    findings,
    finding_answers,
    transfers,
    queries,
    query_messages,
    idempotency,
    tasks,
    jobs,
    job_reports,
    import_mappings,
    runs,
    evaluations,
    run_evaluations,
    results,
    releases,
    verifications,
    verification_cases,
    data_requests,
    delivered_cases,
    released_cases,
    signal_steps,
    indicator_lists,
    freezings,
);
