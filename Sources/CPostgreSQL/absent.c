// Kerberos and LDAP, which a static executable does without.
//
// Debian's libpq.a asks for both, and neither exists as a static library. We offer neither: Kerberos as a way
// to log in or to encrypt (gssencmode=disable is forced), LDAP as a place for pg_service.conf to point to. So
// every function here fails, in the form in which libpq expects it and with a word of why. Where libpq is a
// shared library, which brings the real ones, none of these is compiled. See ADR 45.

#ifdef STATIC_LIBPQ

#include <stddef.h>
#include <stdint.h>

// RFC 2744: GSS_S_FAILURE; 0 is GSS_S_COMPLETE.
static const uint32_t failure = 13u << 16;

struct gss_buffer {
    size_t length;
    void *value;
};

const void *GSS_C_NT_HOSTBASED_SERVICE = NULL;

uint32_t gss_acquire_cred(void) { return failure; }
uint32_t gss_import_name(void) { return failure; }
uint32_t gss_init_sec_context(void) { return failure; }
uint32_t gss_unwrap(void) { return failure; }
uint32_t gss_wrap(void) { return failure; }
uint32_t gss_wrap_size_limit(void) { return failure; }

// Nothing was made, so there is nothing to give back.
uint32_t gss_delete_sec_context(void) { return 0; }
uint32_t gss_release_cred(void) { return 0; }
uint32_t gss_release_name(void) { return 0; }

uint32_t gss_release_buffer(uint32_t *minor, struct gss_buffer *buffer) {
    *minor = 0;
    buffer->length = 0;
    buffer->value = NULL;
    return 0;
}

uint32_t gss_display_status(uint32_t *minor, uint32_t status, int type, void *mechanism, uint32_t *more,
                            struct gss_buffer *text) {
    static char words[] = "Kerberos is not built in";
    (void)status, (void)type, (void)mechanism;
    *minor = 0;
    *more = 0;
    text->length = sizeof words - 1;
    text->value = words;
    return 0;
}

// The first call that libpq makes; after its NULL none of the others follows.
void *ldap_init(void) { return NULL; }

int ldap_count_entries(void) { return -1; }
const char *ldap_err2string(void) { return "LDAP is not built in"; }
void *ldap_first_entry(void) { return NULL; }
void *ldap_get_values_len(void) { return NULL; }
int ldap_msgfree(void) { return 0; }
int ldap_result(void) { return -1; }
int ldap_search_st(void) { return -1; }
int ldap_set_option(void) { return -1; }
int ldap_simple_bind(void) { return -1; }
int ldap_unbind(void) { return 0; }
void ldap_value_free_len(void) {}

#else

// A file without a declaration is no C.
typedef int cpostgresql_brings_its_own;

#endif
