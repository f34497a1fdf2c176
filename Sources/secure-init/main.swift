internal import SecureInit

SecureInit.main()
