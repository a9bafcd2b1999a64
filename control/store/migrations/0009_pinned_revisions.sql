-- An installation can be pinned to a legacy revision too.

alter table installations
    drop constraint installations_protocol_check,
    add constraint installations_protocol_check check (
        protocol in ('auto', 'legacy', '2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25', '2026-07-28')
    );
