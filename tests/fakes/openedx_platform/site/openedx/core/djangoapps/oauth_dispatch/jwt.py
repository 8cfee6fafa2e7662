def create_jwt_for_user(user, secret=None, aud=None, additional_claims=None, scopes=None):
    return f"token-of-{user.username}-for-{'+'.join(scopes or ['email', 'profile'])}"
