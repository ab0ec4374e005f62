/*
 * A PKCS#11 library that passes every call on to another one (PROXY_LIBRARY) and does harm when a file in
 * PROXY_FOLDER asks for it: hang-FN never returns, crash-FN dies before the call, crash-after-FN dies when
 * it was done, scribble-FN writes where it must not. Each file is taken once. C_Login appends a line to the file `logins` there.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <pkcs11/pkcs11.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static CK_FUNCTION_LIST_PTR real;
static CK_FUNCTION_LIST ours;

static int taken(const char *what, const char *fn) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s-%s", getenv("PROXY_FOLDER"), what, fn);
  return unlink(path) == 0;
}

static void before(const char *fn) {
  while (taken("hang", fn)) {
    for (;;) pause();
  }
  if (taken("crash", fn)) *(volatile int *)8 = 1;
  if (taken("scribble", fn) && write(3, "not for this descriptor", 23) < 0) abort();
}

static CK_RV after(const char *fn, CK_RV rv) {
  if (taken("crash-after", fn)) *(volatile int *)8 = 1;
  return rv;
}

static CK_RV login(CK_SESSION_HANDLE s, CK_USER_TYPE u, CK_UTF8CHAR_PTR pin, CK_ULONG n) {
  char path[4096];
  snprintf(path, sizeof path, "%s/logins", getenv("PROXY_FOLDER"));
  int file = open(path, O_WRONLY | O_APPEND | O_CREAT, 0600);
  if (write(file, pin, n) < 0 || write(file, "\n", 1) < 0) abort();
  close(file);
  before("login");
  return after("login", real->C_Login(s, u, pin, n));
}

static CK_RV sign(CK_SESSION_HANDLE s, CK_BYTE_PTR d, CK_ULONG n, CK_BYTE_PTR o, CK_ULONG_PTR l) {
  before("sign");
  return after("sign", real->C_Sign(s, d, n, o, l));
}

static CK_RV encrypt(CK_SESSION_HANDLE s, CK_BYTE_PTR d, CK_ULONG n, CK_BYTE_PTR o, CK_ULONG_PTR l) {
  before("encrypt");
  return after("encrypt", real->C_Encrypt(s, d, n, o, l));
}

static CK_RV generate(CK_SESSION_HANDLE s, CK_MECHANISM_PTR m, CK_ATTRIBUTE_PTR t, CK_ULONG n,
                      CK_OBJECT_HANDLE_PTR o) {
  before("generateKey");
  return after("generateKey", real->C_GenerateKey(s, m, t, n, o));
}

static CK_RV initialize(CK_VOID_PTR args) {
  if (((CK_C_INITIALIZE_ARGS_PTR)args)->flags != CKF_OS_LOCKING_OK) return CKR_ARGUMENTS_BAD;
  before("initialize");
  return after("initialize", real->C_Initialize(args));
}

static CK_RV finalize(CK_VOID_PTR reserved) {
  before("finalize");
  return after("finalize", real->C_Finalize(reserved));
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list) {
  void *library = dlopen(getenv("PROXY_LIBRARY"), RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) return CKR_GENERAL_ERROR;
  CK_C_GetFunctionList get = (CK_C_GetFunctionList)dlsym(library, "C_GetFunctionList");
  CK_RV rv = get(&real);
  if (rv != CKR_OK) return rv;
  ours = *real;
  ours.C_Login = login;
  ours.C_Sign = sign;
  ours.C_Encrypt = encrypt;
  ours.C_GenerateKey = generate;
  ours.C_Initialize = initialize;
  ours.C_Finalize = finalize;
  *list = &ours;
  return CKR_OK;
}
