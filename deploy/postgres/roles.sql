-- Two roles for the hub, in the database this is run in: `hub_owner` makes and changes tables (manage.py
-- migrate, nothing else), `hub_service` reads and writes their rows (web, workers, beat, manage.py).
-- Run by whoever may create roles; again at any time, also over a database that has its tables already.
-- Then: ALTER ROLE hub_owner PASSWORD '…'; ALTER ROLE hub_service PASSWORD '…';

DO $$
DECLARE
  role text;
  thing text;
BEGIN
  FOREACH role IN ARRAY ARRAY['hub_owner', 'hub_service'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
      EXECUTE format('CREATE ROLE %I LOGIN', role);
    END IF;
  END LOOP;
  IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
    EXECUTE format('GRANT hub_owner TO %I', current_user); -- else only a superuser gives it anything
  END IF;

  EXECUTE format('ALTER DATABASE %I OWNER TO hub_owner', current_database());
  EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO hub_service', current_database());

  -- What was made before there were two roles. Indexes and their own sequences follow their tables;
  -- what belongs to an extension stays with it.
  FOR thing IN
    SELECT format('ALTER TABLE %s OWNER TO hub_owner', oid::regclass)
    FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
      AND relowner <> 'hub_owner'::regrole
    UNION ALL
    SELECT format('ALTER FUNCTION %s OWNER TO hub_owner', p.oid::regprocedure)
    FROM pg_proc p
    WHERE pronamespace = 'public'::regnamespace AND proowner <> 'hub_owner'::regrole
      AND NOT EXISTS (
        SELECT FROM pg_depend d
        WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
  LOOP
    EXECUTE thing;
  END LOOP;
END $$;

ALTER SCHEMA public OWNER TO hub_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO hub_service;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO hub_service;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO hub_service;
ALTER DEFAULT PRIVILEGES FOR ROLE hub_owner IN SCHEMA public
  GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO hub_service;
ALTER DEFAULT PRIVILEGES FOR ROLE hub_owner IN SCHEMA public
  GRANT USAGE, SELECT ON SEQUENCES TO hub_service;
