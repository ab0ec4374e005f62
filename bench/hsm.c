/*
 * The measure for bench/hsm-family.ts: the same calls from C. Arguments: library, label of the token. On
 * standard input first the PIN, then lines `gcm|kwp|ecdsa COUNT`; for each one line `wallNs cpuNs` comes back.
 */
#include <dlfcn.h>
#include <pkcs11/pkcs11.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static CK_FUNCTION_LIST_PTR p;
static CK_SESSION_HANDLE session;
static CK_OBJECT_HANDLE aes, wrapping, wrapped, signing;
static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;

static void check(const char *what, CK_RV rv) {
  if (rv == CKR_OK) return;
  fprintf(stderr, "%s: 0x%lx\n", what, rv);
  exit(1);
}

static void *pick(const char *label) {
  static CK_SLOT_ID slots[64];
  static CK_SLOT_ID found;
  CK_ULONG count = 64;
  check("C_GetSlotList", p->C_GetSlotList(CK_TRUE, slots, &count));
  for (CK_ULONG at = 0; at < count; at++) {
    CK_TOKEN_INFO info;
    check("C_GetTokenInfo", p->C_GetTokenInfo(slots[at], &info));
    if (strncmp((char *)info.label, label, strlen(label)) != 0) continue;
    found = slots[at];
    return &found;
  }
  fprintf(stderr, "no token %s\n", label);
  exit(1);
}

static CK_OBJECT_HANDLE aesKey(void) {
  CK_ULONG length = 32;
  CK_MECHANISM mechanism = {CKM_AES_KEY_GEN, NULL, 0};
  CK_ATTRIBUTE template[] = {
      {CKA_TOKEN, &no, sizeof no},      {CKA_VALUE_LEN, &length, sizeof length},
      {CKA_ENCRYPT, &yes, sizeof yes},  {CKA_WRAP, &yes, sizeof yes},
      {CKA_EXTRACTABLE, &yes, sizeof yes},
  };
  CK_OBJECT_HANDLE key;
  check("C_GenerateKey", p->C_GenerateKey(session, &mechanism, template, 5, &key));
  return key;
}

static void makeKeys(void) {
  static CK_BYTE p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
  CK_MECHANISM mechanism = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
  CK_ATTRIBUTE public[] = {{CKA_TOKEN, &no, sizeof no}, {CKA_EC_PARAMS, p256, sizeof p256}};
  CK_ATTRIBUTE private[] = {{CKA_TOKEN, &no, sizeof no}, {CKA_SIGN, &yes, sizeof yes}};
  CK_OBJECT_HANDLE verifying;
  aes = aesKey();
  wrapping = aesKey();
  wrapped = aesKey();
  check("C_GenerateKeyPair",
        p->C_GenerateKeyPair(session, &mechanism, public, 2, private, 2, &verifying, &signing));
}

static void gcm(void) {
  static CK_BYTE iv[12], data[4096], output[4096 + 64];
  CK_GCM_PARAMS params = {iv, sizeof iv, sizeof iv * 8, NULL, 0, 128};
  CK_MECHANISM mechanism = {CKM_AES_GCM, &params, sizeof params};
  CK_ULONG length = sizeof output;
  check("C_EncryptInit", p->C_EncryptInit(session, &mechanism, aes));
  check("C_Encrypt", p->C_Encrypt(session, data, sizeof data, output, &length));
}

static void kwp(void) {
  static CK_BYTE output[512];
  CK_MECHANISM mechanism = {0x210a, NULL, 0};
  CK_ULONG length = sizeof output;
  check("C_WrapKey", p->C_WrapKey(session, &mechanism, wrapping, wrapped, output, &length));
}

static void ecdsa(void) {
  static CK_BYTE digest[32], output[256];
  CK_MECHANISM mechanism = {CKM_ECDSA, NULL, 0};
  CK_ULONG length = sizeof output;
  check("C_SignInit", p->C_SignInit(session, &mechanism, signing));
  check("C_Sign", p->C_Sign(session, digest, sizeof digest, output, &length));
}

static long long now(clockid_t clock) {
  struct timespec at;
  clock_gettime(clock, &at);
  return at.tv_sec * 1000000000LL + at.tv_nsec;
}

int main(int count, char **words) {
  char line[64];
  if (count != 3) return 64;
  void *library = dlopen(words[1], RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) return 69;
  check("list", ((CK_C_GetFunctionList)dlsym(library, "C_GetFunctionList"))(&p));
  CK_C_INITIALIZE_ARGS args = {NULL, NULL, NULL, NULL, CKF_OS_LOCKING_OK, NULL};
  check("C_Initialize", p->C_Initialize(&args));
  CK_SLOT_ID slot = *(CK_SLOT_ID *)pick(words[2]);
  check("C_OpenSession",
        p->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session));
  if (fgets(line, sizeof line, stdin) == NULL) return 64;
  check("C_Login", p->C_Login(session, CKU_USER, (CK_UTF8CHAR_PTR)line, strcspn(line, "\n")));
  makeKeys();
  while (fgets(line, sizeof line, stdin) != NULL) {
    char name[16];
    long times;
    if (sscanf(line, "%15s %ld", name, &times) != 2) return 64;
    void (*operation)(void) = strcmp(name, "gcm") == 0 ? gcm : strcmp(name, "kwp") == 0 ? kwp : ecdsa;
    long long wall = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);
    for (long n = 0; n < times; n++) operation();
    printf("%lld %lld\n", now(CLOCK_MONOTONIC) - wall, now(CLOCK_PROCESS_CPUTIME_ID) - cpu);
    fflush(stdout);
  }
  p->C_Finalize(NULL);
  return 0;
}
