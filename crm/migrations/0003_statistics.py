from django.db import migrations

# The app's role owns no table and so may not ANALYZE. After a first import of thousands of rows the planner would
# take the tables for empty until autovacuum comes by, and choose plans that cost a hundred times more.
CREATE = """
CREATE FUNCTION crm_refresh_statistics() RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    ANALYZE (SKIP_LOCKED) crm_contact, crm_company, crm_selectionmember, crm_consent, crm_contactinterest,
        crm_contactfieldvalue, crm_searchword;
END $$;
REVOKE ALL ON FUNCTION crm_refresh_statistics() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION crm_refresh_statistics() TO millrace_app;
"""


class Migration(migrations.Migration):
    dependencies = [("crm", "0002_secure")]

    operations = [migrations.RunSQL(CREATE, "DROP FUNCTION crm_refresh_statistics()")]
